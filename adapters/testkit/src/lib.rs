//! Fake platforms and the behaviour suite for faas-sdk adapters
