//! When the bell rings, and for which payment.

use super::model::Model;
use super::sound::Sound;
use crate::order::OutTradeNo;
use crate::text::voice::VoiceWords;

impl Model {
    /// How often the bell has rung, always 0 if the bell is off. The terminal rings when this
    /// grows.
    pub fn rings(&self) -> u64 {
        self.rings
    }

    /// What rang last.
    pub fn sound(&self) -> Sound {
        self.sound
    }

    /// The same in words, to be spoken, and the sum that they speak of.
    pub fn spoken(&self) -> (String, String) {
        let payment = self.rung_for.as_ref().and_then(|order| self.attempt(order));
        let words = VoiceWords::of(self.language);
        let Some(payment) = payment else { return (words.look().to_owned(), String::new()) };
        let currency = self.settings.currency;
        let amount = currency.show(payment.view.amount);
        let sum = words.sum(currency, &amount);
        let what = words.ended(payment.view.state.status(), &sum);
        match self.sound {
            Sound::NotAtTheDesk => (words.another(&what), amount),
            Sound::Paid | Sound::NotPaid | Sound::NeedsYou => (what, amount),
        }
    }

    pub(super) fn ring(&mut self, sound: Sound) {
        if self.settings.bell {
            self.rings += 1;
            (self.sound, self.rung_for) = (sound, None);
        }
    }

    /// For the end of a payment.
    pub(super) fn ring_for(&mut self, sound: Sound, order: &OutTradeNo) {
        self.ring(sound);
        self.rung_for = Some(order.clone());
    }
}
