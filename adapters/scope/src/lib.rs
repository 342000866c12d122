//! Clocks, thaw detection and the per-invocation scope of faas-sdk
