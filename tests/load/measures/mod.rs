//! The measures, and what they share.

mod books;
mod floor;
mod idle;
mod latency;
mod office;
mod size;
mod table;
mod throughput;
mod waiting;

pub(crate) use table::Table;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// How often each of those that are compared has its turn.
    pub(crate) rounds: usize,
    /// How long a turn lasts.
    pub(crate) seconds: f64,
    /// As little as can be: nothing is to be learnt from the figures.
    pub(crate) is_smoke: bool,
}

/// What can be measured, in the order of the table.
pub(crate) const MEASURES: [&str; 5] = ["throughput", "latency", "waiting", "idle", "size"];

/// Takes the measures of these names.
pub(crate) fn done(names: &[&str], extent: Extent) -> Table {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut table = Table::default();
    runtime.block_on(async {
        for name in names {
            match *name {
                "throughput" => throughput::measured(extent, &mut table).await,
                "latency" => latency::measured(extent, &mut table).await,
                "waiting" => waiting::measured(extent, &mut table).await,
                "idle" => idle::measured(extent, &mut table).await,
                _ => size::measured(extent, &mut table).await,
            }
        }
    });
    table
}
