/// A number that a store issues: microseconds since the Unix epoch on the store's clock, or one more
/// than the last number of its shard if that is later. It strictly increases within a shard (and,
/// for tag generations, within the namespace), also when the store was restarted empty or failed
/// over, as long as its clock did not go back by more than the outage. Never 0.
pub type Version = u64;
