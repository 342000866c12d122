//! The long-poll engine of faas-sdk platform adapters
