use crate::connect;
use bytes::Bytes;
use cache_loop::Error;
use cache_loop::remote::Reads;
use faas_sdk_cache::{Cache, Region};

const BLOB: Region<Bytes> = Region::raw("blob").l2_only();

/// A region that is kept in Redis alone.
#[derive(Clone)]
pub(crate) struct Remote(Cache);

impl Remote {
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        Ok(Self(connect::cache(connect::redis(url)?)?))
    }
}

impl Reads for Remote {
    async fn store(&self, key: &str, value: Vec<u8>) -> Result<(), Error> {
        Ok(self.0.set(&BLOB, key, value.into()).await?)
    }

    async fn read(&self, key: &str) -> Result<usize, Error> {
        let value = self
            .0
            .get(&BLOB, key)
            .or_load(|_| async { Err::<Bytes, _>("the value is not there".into()) })
            .await?;
        Ok(value.len())
    }
}
