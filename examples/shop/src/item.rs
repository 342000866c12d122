use crate::stock::{Product, Stock};
use faas_sdk::cache::Region;
use faas_sdk::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What the page shows of a product; an order removes it.
pub(crate) const PRODUCT: Region<Product> = Region::new("product").ttl(Duration::from_secs(30));

/// The item page.
pub(crate) struct Page {
    pub(crate) stock: Stock,
}

/// What the page is asked for: the id comes from the path, the currency from the query.
#[derive(Deserialize)]
pub(crate) struct Request {
    id: u32,
    currency: Option<String>,
}

/// What the page shows.
#[derive(Serialize)]
pub(crate) struct Item {
    id: u32,
    title: String,
    currency: String,
    stock: u32,
}

/// The shop's own part of the configuration: the section `[app]`.
#[derive(Deserialize)]
struct Settings {
    #[serde(default = "euro")]
    currency: String,
}

fn euro() -> String {
    "EUR".to_owned()
}

impl Handler<Request> for Page {
    type Output = Item;

    async fn call(&self, request: Request, cx: Context) -> Result<Item> {
        let (stock, id) = (self.stock.clone(), request.id);
        let product = cx
            .cache()
            .get(&PRODUCT, &id)
            .or_load(move |_| async move { Ok(stock.of(id)) })
            .await?;
        let settings: Settings = cx.config().app()?;
        let currency = request.currency.unwrap_or(settings.currency);
        Ok(Item {
            id: request.id,
            title: product.title.clone(),
            currency,
            stock: product.stock,
        })
    }
}
