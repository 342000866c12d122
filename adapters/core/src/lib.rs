//! The contract between faas-sdk and its platform adapters
