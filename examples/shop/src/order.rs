use crate::item::PRODUCT;
use crate::stock::{Sold, Stock};
use faas_sdk::log::json;
use faas_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// Books paid orders.
pub(crate) struct Book {
    pub(crate) stock: Stock,
}

/// A paid order.
#[derive(Deserialize, Serialize)]
pub(crate) struct Order {
    item: u32,
    amount: u32,
}

impl Handler<Order> for Book {
    type Output = ();

    async fn call(&self, order: Order, cx: Context) -> Result<()> {
        match self.stock.take(order.item, order.amount) {
            Sold::Left(left) => {
                cx.cache().remove(&PRODUCT, &order.item).await?;
                cx.metrics().count("items.sold", order.amount.into());
                tracing::info!(order = json(&order), left, "order booked");
                Ok(())
            }
            // Delivering the event again would not bring the item back.
            Sold::TooFew => Err(Error::conflict("sold out").with_code("sold_out").reject()),
            Sold::Unknown => Err(Error::not_found(format!("there is no item {}", order.item))),
        }
    }
}
