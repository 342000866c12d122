//! `faas_sdk::start`: the flavour is the family's choice.

fn main() {
    faas_sdk::start(faas_sdk_echo::echo);
}
