use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is on the shelf of this instance.
#[derive(Clone)]
pub(crate) struct Stock(Arc<Mutex<BTreeMap<u32, (&'static str, u32)>>>);

/// A kind of thing that is sold.
#[derive(Serialize, Deserialize)]
pub(crate) struct Product {
    pub(crate) title: String,
    pub(crate) stock: u32,
}

/// What became of an attempt to take something.
pub(crate) enum Sold {
    Left(u32),
    TooFew,
    Unknown,
}

impl Stock {
    pub(crate) fn opening() -> Self {
        Self(Arc::new(Mutex::new(BTreeMap::from([
            (1, ("teapot", 10)),
            (2, ("cup", 40)),
        ]))))
    }

    pub(crate) fn of(&self, item: u32) -> Option<Product> {
        let (title, stock) = self.shelf().get(&item).copied()?;
        let title = title.to_owned();
        Some(Product { title, stock })
    }

    pub(crate) fn take(&self, item: u32, amount: u32) -> Sold {
        match self.shelf().get_mut(&item) {
            None => Sold::Unknown,
            Some((_, stock)) => match stock.checked_sub(amount) {
                None => Sold::TooFew,
                Some(left) => {
                    *stock = left;
                    Sold::Left(left)
                }
            },
        }
    }

    fn shelf(&self) -> MutexGuard<'_, BTreeMap<u32, (&'static str, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
