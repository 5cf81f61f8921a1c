//! The table: what was wanted, what came of it.

/// What a figure is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

struct Row {
    what: String,
    goal: Goal,
    unit: &'static str,
    /// The figure and what it was made of; or why there is none.
    measured: Result<(f64, String), String>,
}

/// All that was measured.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        (goal, unit): (Goal, &'static str),
        (figure, made_of): (f64, String),
    ) {
        let measured = Ok((figure, made_of));
        self.0.push(Row { what: what.into(), goal, unit, measured });
    }

    /// Nothing is known of this, and why.
    pub(crate) fn skip(
        &mut self,
        what: impl Into<String>,
        (goal, unit): (Goal, &'static str),
        why: impl Into<String>,
    ) {
        self.0.push(Row { what: what.into(), goal, unit, measured: Err(why.into()) });
    }

    /// Whether no goal was missed.
    pub(crate) fn is_met(&self) -> bool {
        self.0.iter().all(|row| row.is_met() != Some(false))
    }

    pub(crate) fn print(&self) {
        println!("{:<58} {:>14} {:>12}  verdict", "", "goal", "measured");
        for row in &self.0 {
            let (sign, wanted) = match row.goal {
                Goal::AtLeast(wanted) => (">=", wanted),
                Goal::AtMost(wanted) => ("<=", wanted),
            };
            let (unit, goal) = (row.unit, format!("{sign} {wanted}"));
            let (figure, verdict, why) = match &row.measured {
                Err(why) => ("-".to_owned(), "skipped", why.as_str()),
                Ok((figure, of)) => {
                    let verdict = match row.is_met() {
                        Some(true) => "met",
                        _ => "MISSED",
                    };
                    (format!("{figure:.2}"), verdict, of.as_str())
                }
            };
            let (goal, figure) = (format!("{goal} {unit}"), format!("{figure} {unit}"));
            println!("{:<58} {goal:>14} {figure:>12}  {verdict}: {why}", row.what);
        }
    }
}

impl Row {
    fn is_met(&self) -> Option<bool> {
        let (figure, _) = self.measured.as_ref().ok()?;
        Some(match self.goal {
            Goal::AtLeast(wanted) => *figure >= wanted,
            Goal::AtMost(wanted) => *figure <= wanted,
        })
    }
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// What so many of a hundred are not above.
pub(crate) fn percentile(mut figures: Vec<f64>, of_a_hundred: usize) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    let place = (figures.len() * of_a_hundred / 100).min(figures.len().saturating_sub(1));
    figures.get(place).copied().unwrap_or(f64::NAN)
}
