//! faas-sdk functions on the AWS Lambda Runtime API
