use crate::{Attempt, Disposition, Error, Text};

/// Several events delivered at once.
#[derive(Debug)]
pub struct Batch<T> {
    /// The items, in the order of their source.
    pub items: Vec<Item<T>>,
    /// Whether the source keeps an order, so that nothing after a failed item may be handled.
    pub ordered: bool,
}

/// One item of a [`Batch`]. An item that did not decode carries its error and poisons no other.
#[derive(Debug)]
pub struct Item<T> {
    /// The name by which the source knows it.
    pub id: Text,
    /// Which delivery this is.
    pub attempt: Attempt,
    /// The decoded item.
    pub data: Result<T, Error>,
}

/// How one item went.
#[derive(Debug)]
pub struct ItemOutcome {
    /// The name by which the source knows it.
    pub id: Text,
    /// Success, or why not.
    pub result: Result<(), Error>,
}

impl ItemOutcome {
    /// The item is done.
    pub fn ack(id: impl Into<Text>) -> Self {
        Self {
            id: id.into(),
            result: Ok(()),
        }
    }

    /// The item failed; the error decides what becomes of it.
    pub fn failed(id: impl Into<Text>, error: impl Into<Error>) -> Self {
        Self {
            id: id.into(),
            result: Err(error.into()),
        }
    }

    /// What becomes of the item.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.result
            .as_ref()
            .map_or_else(Error::disposition, |()| Disposition::Ack)
    }
}

impl<T> Batch<T> {
    /// Items whose order does not matter.
    #[must_use]
    pub fn unordered(items: Vec<Item<T>>) -> Self {
        Self {
            items,
            ordered: false,
        }
    }

    /// Items of a source that keeps their order.
    #[must_use]
    pub fn ordered(items: Vec<Item<T>>) -> Self {
        Self {
            items,
            ordered: true,
        }
    }
}

impl<T> IntoIterator for Batch<T> {
    type Item = Item<T>;
    type IntoIter = std::vec::IntoIter<Item<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}
