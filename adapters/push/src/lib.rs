//! The HTTP server engine of faas-sdk platform adapters
