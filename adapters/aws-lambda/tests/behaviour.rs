//! The behaviour that all adapters share, over a fake Runtime API.

use faas_sdk_adapter_aws_lambda::AwsLambda;
use faas_sdk_testkit::behaviour::{Lambda, run};

#[tokio::test]
async fn one_slot_on_one_thread() {
    run(&Lambda::new(AwsLambda::new)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slot_on_two_threads() {
    run(&Lambda::new(AwsLambda::new)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_slots() {
    run(&Lambda::new(AwsLambda::new).slots(8)).await;
}
