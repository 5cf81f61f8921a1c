//! How much was played.

/// What happened in a story.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Attempts that were begun, each with a scanned code.
    pub sales: u64,
    pub entries: u64,
    pub calls: u64,
    pub faults: u64,
    pub deaths: u64,
    pub refunds: u64,
    /// Cash that was taken, once for each time.
    pub cash: u64,
    /// Sales that are to be paid in part in cash and in part by code.
    pub splits: u64,
    /// Codes that were ordered, for customers to scan.
    pub codes: u64,
    /// Attempts and codes that went through API v3.
    pub by_v3: u64,
    /// Attempts and codes that went through a merchant's backend.
    pub behind: u64,
    /// Tills that were moved to API v3, or to its other keys.
    pub moves: u64,
    /// Sales whose cash went back because the rest was not paid.
    pub returns: u64,
    /// Shifts that were closed.
    pub closes: u64,
    /// The gateway's bills that were held against the journal.
    pub bills: u64,
    /// Notifications that the gateway has sent.
    pub notices: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.sales += other.sales;
        self.entries += other.entries;
        self.calls += other.calls;
        self.faults += other.faults;
        self.deaths += other.deaths;
        self.refunds += other.refunds;
        self.cash += other.cash;
        self.splits += other.splits;
        self.codes += other.codes;
        self.by_v3 += other.by_v3;
        self.behind += other.behind;
        self.moves += other.moves;
        self.returns += other.returns;
        self.closes += other.closes;
        self.bills += other.bills;
        self.notices += other.notices;
    }
}
