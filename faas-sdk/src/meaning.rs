use faas_sdk_core::ErrorKind;

/// What an error of the cache means for whoever called the function.
pub(crate) fn with_meaning(error: faas_sdk_core::Error) -> faas_sdk_core::Error {
    use faas_sdk_cache::ErrorKind as Kind;
    let Some(cached) = error.downcast_ref::<faas_sdk_cache::Error>() else {
        return error;
    };
    let kind = match cached.kind() {
        Kind::Absent => ErrorKind::NotFound,
        Kind::KeyTooLong => ErrorKind::InvalidInput,
        Kind::Timeout | Kind::Remote => ErrorKind::Unavailable,
        // A loader's error of the family has kept its kind.
        _ => return error,
    };
    error.with_kind(kind)
}
