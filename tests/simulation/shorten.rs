//! Shortens the story of a violation as long as it still breaks the same invariant.

use crate::plan::{Climate, Plan};
use crate::world::play;

/// Leaves out as much as possible: troubles, sales, and the cashier's actions.
pub fn shorten(plan: Plan) -> Plan {
    let Some(wanted) = play(&plan, false).violation.map(|violation| violation.invariant) else {
        return plan;
    };
    let troubles = Climate::default().troubles().map(|(name, _)| name.to_owned());
    let sales: Vec<usize> = plan.customers().into_iter().map(|(sale, _)| sale).collect();
    let parts: Vec<String> = sales
        .iter()
        .map(|sale| format!("sale {sale}"))
        .chain(troubles)
        .chain(sales.iter().map(|sale| format!("actions {sale}")))
        .collect();
    let mut short = plan;
    loop {
        let before = short.without.len();
        for part in &parts {
            if !short.has(part) {
                continue;
            }
            let mut shorter = short.clone();
            shorter.without.insert(part.clone());
            let violation = play(&shorter, false).violation;
            if violation.is_some_and(|violation| violation.invariant == wanted) {
                short = shorter;
            }
        }
        if short.without.len() == before {
            return short;
        }
    }
}
