//! The smallest function: `cargo run -p hello`.

use faas_sdk::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Greet {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    message: String,
}

async fn hello(greet: Greet, _cx: Context) -> Result<Greeting> {
    Ok(Greeting {
        message: format!("Hello, {}!", greet.name),
    })
}

fn main() {
    faas_sdk::start(hello);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn greets() -> Result<()> {
        let greet = Greet {
            name: "world".to_owned(),
        };
        let greeting = hello(greet, Context::builder().build()).await?;
        assert_eq!(greeting.message, "Hello, world!");
        Ok(())
    }
}
