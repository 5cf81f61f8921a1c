//! How devices are identified and their lines configured: values that the owner writes in the
//! configuration and the drivers use.

use std::str::FromStr;

/// How a device pauses the till on a serial line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Flow {
    #[default]
    None,
    XonXoff,
    /// Only for cables with these wires: without them the line never accepts a byte (devices 2.1).
    RtsCts,
}

/// What of a printer's words about itself counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum StatusUse {
    /// All of it, unless the printer itself proves it wrong.
    #[default]
    Auto,
    /// Only the answer that comes after the data before it.
    Fence,
    /// Nothing: it is not even asked.
    Off,
}

/// The check bit of each byte on a serial line.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Parity {
    #[default]
    None,
    Odd,
    Even,
}

/// A device by its numbers: `vvvv:pppp`, optionally with `:serial`.
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
