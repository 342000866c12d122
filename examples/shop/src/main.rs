//! A small shop: an item page over HTTP, and its stock kept by order events.
//!
//! ```text
//! cargo run -p shop
//! curl -s http://127.0.0.1:9000/items/1
//! curl -s http://127.0.0.1:9000/ -H 'ce-specversion: 1.0' -H 'ce-id: 7' -H 'ce-source: /checkout' \
//!   -H 'ce-type: com.example.order.paid' -H 'content-type: application/json' \
//!   -d '{"item": 1, "amount": 2}'
//! ```

mod item;
mod order;
mod stock;

use faas_sdk::prelude::*;
use stock::Stock;

fn app(stock: &Stock) -> App {
    App::new()
        .http(
            "GET /items/{id}",
            item::Page {
                stock: stock.clone(),
            },
        )
        .on(
            "ce:com.example.order.*",
            order::Book {
                stock: stock.clone(),
            },
        )
}

fn main() {
    faas_sdk::start(app(&Stock::opening()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk::http::Request;
    use faas_sdk::testing::TestApp;
    use faas_sdk::{Data, Event};

    async fn page(app: &TestApp, path: &str) -> Result<serde_json::Value> {
        let response = app.request(Request::get(path).body("")?).await?;
        Ok(serde_json::from_slice(
            &response.into_body().collect(1 << 16).await?,
        )?)
    }

    #[tokio::test]
    async fn an_order_shows_on_the_page() -> Result<()> {
        let app = TestApp::new(app(&Stock::opening()))?;
        assert_eq!(page(&app, "/items/1").await?["stock"], 10);
        let order = |amount: u32| {
            let data = format!(r#"{{"item": 1, "amount": {amount}}}"#);
            Event::new(
                "7",
                "/checkout",
                "com.example.order.paid",
                Data::Json(data.into()),
            )
        };
        app.send(order(2)).await?;
        assert_eq!(page(&app, "/items/1").await?["stock"], 8);

        let error = app.send(order(9)).await.expect_err("more than there is");
        assert_eq!(error.code(), "sold_out");
        let error = page(&app, "/items/9").await.expect_err("no such item");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        Ok(())
    }
}
