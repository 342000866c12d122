use crate::stock::Stock;
use faas_sdk::prelude::*;
use serde::{Deserialize, Serialize};

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
    title: &'static str,
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
        let Some((title, stock)) = self.stock.of(request.id) else {
            return Err(Error::not_found(format!("there is no item {}", request.id)));
        };
        let settings: Settings = cx.config().app()?;
        let currency = request.currency.unwrap_or(settings.currency);
        Ok(Item {
            id: request.id,
            title,
            currency,
            stock,
        })
    }
}
