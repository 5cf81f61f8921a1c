//! What a seed determines in advance: how rough the conditions are, which customers come, and what
//! the cashier does.
//!
//! Each draw depends on the seed and a name of its own, so leaving out one trouble or one sale does
//! not change the others. That is how a story is shortened.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use paytill::payment::Status;
use paytill::simulator::{Expected, NoticeCase, Scenario, SpecialCase};

/// From this time on nothing fails any more, and no customer comes. All times here are in
/// milliseconds.
pub const HEALED: u64 = 240_000;
/// A request that is held in the network arrives within this time. An honest network has such a
/// bound; the till rechecks later than that.
pub const HELD_AT_MOST: u64 = 100_000;
/// The most customers of an ordinary seed.
const FEW: usize = 28;
/// The most customers of one seed in [`LONG_DAYS`], enough for the journal's first checkpoint.
const MANY: usize = 60;
const LONG_DAYS: u64 = 64;

/// A seed, and what to leave out of its draws.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    pub seed: u64,
    /// Names of [`Climate::troubles`], `sale N`, `actions N`.
    pub without: BTreeSet<String>,
    /// There is a backend, whatever the seed says.
    pub is_behind: bool,
}

/// How rough the conditions are. Shares are in thousandths.
#[derive(Clone, Debug, Default)]
pub struct Climate {
    pub no_connection: u64,
    pub lost_requests: u64,
    pub held_requests: u64,
    pub twofold_requests: u64,
    pub lost_answers: u64,
    pub altered_answers: u64,
    /// In milliseconds, like the next one.
    pub slow_network: u64,
    pub slow_disk: u64,
    /// How many times the network is down for a while.
    pub partitions: u64,
    pub failing_disk: u64,
    /// The process dies during a write.
    pub death_at_the_disk: u64,
    pub death_at_a_start: u64,
    /// The process dies as a request leaves.
    pub death_at_the_wire: u64,
    /// A number of times, like the next four.
    pub power_cuts: u64,
    pub kills: u64,
    pub closings: u64,
    pub clock_jumps: u64,
    pub suspensions: u64,
    /// How often another till with the same id has given out a number before.
    pub other_tills: u64,
    /// The till is started with another `app_id` of its merchant: 1, or 0.
    pub corrected_ids: u64,
    /// No reversal ever reaches the gateway, and nothing heals that: 1, or 0.
    pub no_reversals: u64,
    /// The cashier works at the screen, and goes on while others still pay: 1, or 0.
    pub crowd: u64,
    /// The till speaks API v3: 0 never, 1 with a public key, 2 with platform certificates; it is moved
    /// there from API v2 while orders are open: 3 to a public key, 4 to certificates; 5 from
    /// certificates to a public key.
    pub api_v3: u64,
    /// The till speaks to the merchant's backend, which has so many instances; 0: to the gateway.
    pub backend: u64,
    /// How often an instance dies between two steps; and whether it does at other times.
    pub backend_deaths: u64,
    /// How often an instance is stopped for a while, a number of times.
    pub backend_pauses: u64,
    /// How often the database refuses, or does not say what it has done.
    pub failing_books: u64,
    /// What another till of the merchant asks of the backend, a number of times.
    pub visits: u64,
    /// What becomes of the gateway's notifications: an index of [`NoticeCase::ALL`].
    pub notices: u64,
}

/// A customer at the counter.
#[derive(Clone, Copy, Debug)]
pub struct Customer {
    pub at: u64,
    pub scenario: Scenario,
    /// In fen.
    pub due: i64,
}

/// What a cashier does with a sale besides scanning its code.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum CashierAction {
    Cancel,
    /// Asks for a query, and presses the key more than once.
    CheckNow,
    /// Charges the sale again with a new code; the till may refuse.
    ChargeAgain,
    /// Scans the same code again.
    ScanAgain,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The random draws for one purpose.
    pub fn chance(&self, purpose: &str, number: u64) -> fastrand::Rng {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in purpose.bytes().chain(number.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        fastrand::Rng::with_seed(hash ^ hash >> 29)
    }

    pub fn has(&self, part: &str) -> bool {
        !self.without.contains(part)
    }

    pub fn climate(&self) -> Climate {
        let mut rng = self.chance("climate", 0);
        let mut rough = |most: u64| if rng.bool() { rng.u64(..=most) } else { 0 };
        let mut climate = Climate {
            no_connection: rough(300),
            lost_requests: rough(300),
            held_requests: rough(200),
            twofold_requests: rough(200),
            lost_answers: rough(400),
            altered_answers: rough(300),
            partitions: rough(3),
            failing_disk: rough(30),
            death_at_the_disk: rough(60),
            death_at_a_start: rough(300),
            death_at_the_wire: rough(60),
            power_cuts: rough(4),
            kills: rough(4),
            closings: rough(2),
            clock_jumps: rough(3),
            suspensions: rough(2),
            ..Climate::default()
        };
        climate.other_tills = u64::from(self.chance("other tills", 0).u8(..4) == 0) * 300;
        climate.corrected_ids = u64::from(self.chance("corrected", 0).u8(..4) == 0);
        climate.no_reversals = u64::from(self.chance("hopeless", 0).u8(..8) == 0);
        climate.crowd = u64::from(self.chance("crowd", 0).u8(..3) == 0);
        // One seed in four: RSA costs more than all else that a till does.
        climate.api_v3 = self.chance("api", 0).u64(..20).saturating_sub(14);
        self.draw_backend(&mut climate);
        climate.slow_network = [200, 2_000, 9_900][rng.usize(..3)];
        climate.slow_disk = [5, 50, 3_000, 30_000][rng.usize(..4)];
        for (name, trouble) in climate.troubles() {
            if !self.has(name) {
                *trouble = 0;
            }
        }
        climate
    }

    /// One seed in four. What has no meaning behind a backend is left out: there is one living till of an
    /// id, and the merchant's numbers are not a till's.
    fn draw_backend(&self, climate: &mut Climate) {
        let mut rng = self.chance("backend", 0);
        let is_drawn = rng.u8(..4) == 0 || self.is_behind;
        if !is_drawn || !self.has("backend") {
            return;
        }
        climate.backend = rng.u64(1..=3);
        let mut rough = |most: u64| if rng.bool() { rng.u64(..=most) } else { 0 };
        climate.backend_deaths = rough(40);
        climate.backend_pauses = rough(4);
        climate.failing_books = rough(200);
        climate.visits = rough(8);
        climate.notices = self.chance("notices", 0).u64(..NoticeCase::ALL.len() as u64);
        (climate.other_tills, climate.corrected_ids, climate.no_reversals) = (0, 0, 0);
    }

    /// The customers, each with the number of its sale.
    pub fn customers(&self) -> Vec<(usize, Customer)> {
        let mut rng = self.chance("customers", 0);
        let count =
            if rng.u64(..LONG_DAYS) == 0 { rng.usize(FEW..=MANY) } else { rng.usize(1..=FEW) };
        let all = (0..count).filter(|sale| self.has(&format!("sale {sale}")));
        all.map(|sale| (sale, self.customer(sale, count))).collect()
    }

    fn customer(&self, sale: usize, count: usize) -> Customer {
        let mut rng = self.chance("customer", sale as u64);
        let usual = ["ok", "ok", "password", "walks-away", "cancels", "notenough", "request-lost"];
        let scenario = match rng.u8(..4) {
            0 | 1 => Scenario::from_name(usual[rng.usize(..usual.len())]),
            // Any amount of patience, even more than the till's.
            2 => Some(Scenario::Password(rng.u8(1..60))),
            _ => rng.choice(every_scenario()).copied(),
        };
        // Some customers come close together.
        let spread = [HEALED - 10_000, 60_000][usize::from(rng.u8(..4) == 0)];
        let at = if count > FEW { sale as u64 * 4_500 } else { rng.u64(100..spread) };
        let due = match rng.u8(..8) {
            0 => 1,
            1 => 999_999_999,
            _ => rng.i64(1..500_000),
        };
        Customer { at, scenario: scenario.unwrap_or(Scenario::Pays), due }
    }

    /// What the cashier does with a sale, and how long after its customer came.
    pub fn actions(&self, sale: usize) -> Vec<(u64, CashierAction)> {
        use CashierAction::{Cancel, ChargeAgain, CheckNow, ScanAgain};
        if !self.has(&format!("actions {sale}")) {
            return Vec::new();
        }
        let mut rng = self.chance("actions", sale as u64);
        let mut actions = Vec::new();
        for action in [Cancel, CheckNow, ChargeAgain, ChargeAgain, ScanAgain] {
            if rng.u8(..4) == 0 {
                let longest = [3_000, 20_000, 120_000][rng.usize(..3)];
                actions.push((rng.u64(1..longest), action));
            }
        }
        actions
    }

    /// When the cashier gives money of a sale back, after its customer came.
    pub fn refunds(&self, sale: usize) -> Vec<u64> {
        let mut rng = self.chance("refunds", sale as u64);
        let count = if rng.u8(..3) == 0 { rng.usize(1..4) } else { 0 };
        let count = if self.has(&format!("actions {sale}")) { count } else { 0 };
        (0..count).map(|_| rng.u64(2_000..150_000)).collect()
    }

    /// When the cashier gives the cash of a sale back, after its customer came, if the rest of it is
    /// not paid by then.
    pub fn returns(&self, sale: usize) -> Vec<u64> {
        let mut rng = self.chance("returns", sale as u64);
        let count = if rng.u8(..3) == 0 { rng.usize(1..3) } else { 0 };
        let count = if self.has(&format!("actions {sale}")) { count } else { 0 };
        (0..count).map(|_| rng.u64(500..60_000)).collect()
    }
}

impl Climate {
    /// What becomes of the gateway's notifications.
    pub fn notice_case(&self) -> NoticeCase {
        let index = usize::try_from(self.notices).unwrap_or_default();
        NoticeCase::ALL.get(index).copied().unwrap_or_default()
    }

    /// Each trouble with its name.
    pub fn troubles(&mut self) -> [(&'static str, &mut u64); 29] {
        [
            ("no connection", &mut self.no_connection),
            ("lost requests", &mut self.lost_requests),
            ("held requests", &mut self.held_requests),
            ("twofold requests", &mut self.twofold_requests),
            ("lost answers", &mut self.lost_answers),
            ("altered answers", &mut self.altered_answers),
            ("slow network", &mut self.slow_network),
            ("slow disk", &mut self.slow_disk),
            ("partitions", &mut self.partitions),
            ("failing disk", &mut self.failing_disk),
            ("death at the disk", &mut self.death_at_the_disk),
            ("death at a start", &mut self.death_at_a_start),
            ("death at the wire", &mut self.death_at_the_wire),
            ("power cuts", &mut self.power_cuts),
            ("kills", &mut self.kills),
            ("closings", &mut self.closings),
            ("clock jumps", &mut self.clock_jumps),
            ("suspensions", &mut self.suspensions),
            ("other tills", &mut self.other_tills),
            ("corrected ids", &mut self.corrected_ids),
            ("no reversals", &mut self.no_reversals),
            ("crowd", &mut self.crowd),
            ("api v3", &mut self.api_v3),
            ("backend", &mut self.backend),
            ("backend deaths", &mut self.backend_deaths),
            ("backend pauses", &mut self.backend_pauses),
            ("failing books", &mut self.failing_books),
            ("visits", &mut self.visits),
            ("notices", &mut self.notices),
        ]
    }
}

/// All scenarios that end.
fn every_scenario() -> &'static [Scenario] {
    static ALL: OnceLock<Vec<Scenario>> = OnceLock::new();
    ALL.get_or_init(|| Scenario::all().into_iter().filter(|scenario| ends(*scenario)).collect())
}

/// Except `delivered-late`, which the network plays here, and the scenario whose gateway refuses
/// forever and leaves the order to people.
fn ends(scenario: Scenario) -> bool {
    let network = scenario == Scenario::Odd(SpecialCase::DeliveredLate);
    let for_ever = scenario == Scenario::Odd(SpecialCase::ReverseExpired);
    let is_known = |Expected { status, .. }: Expected| status != Status::Created;
    !network && !for_ever && scenario.expected().is_some_and(is_known)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--seed {}", self.seed)?;
        if self.is_behind {
            write!(f, " --with backend")?;
        }
        if !self.without.is_empty() {
            let parts: Vec<&str> = self.without.iter().map(String::as_str).collect();
            write!(f, " --without '{}'", parts.join(", "))?;
        }
        Ok(())
    }
}
