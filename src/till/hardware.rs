//! How a device is named and how its line is set: values that the owner writes down, and that the
//! drivers take from there.

use std::str::FromStr;

/// How a device makes the till wait on a serial line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Flow {
    #[default]
    None,
    XonXoff,
    /// Only where the cable has these wires: else the line never takes a byte (devices 2.1).
    RtsCts,
}

/// The bit that checks each byte on a serial line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Parity {
    #[default]
    None,
    Odd,
    Even,
}

/// A device by its numbers: `vvvv:pppp`, and perhaps `:serial`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Selector {
    pub vendor: u16,
    pub product: u16,
    pub serial: Option<String>,
}

impl FromStr for Selector {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |part: Option<&str>| {
            let part = part.filter(|part| part.len() == 4 && !part.starts_with('+'));
            u16::from_str_radix(part.ok_or(())?, 16).map_err(|_| ())
        };
        let mut parts = text.splitn(3, ':');
        let (vendor, product) = (number(parts.next())?, number(parts.next())?);
        let serial = parts.next().map(ToOwned::to_owned);
        match serial {
            Some(serial) if serial.is_empty() => Err(()),
            serial => Ok(Self { vendor, product, serial }),
        }
    }
}
