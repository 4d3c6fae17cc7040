//! `leasehold operator rotate` and `key-status`: the key that what is stored is sealed with.

use std::io::Write;

use serde_json::{Value, json};

use super::{Printed, Result, print};
use crate::cli::output::{self, Format};
use crate::cli::remote::Remote;

pub(super) fn rotate(arguments: &Printed, out: &mut dyn Write) -> Result<()> {
    let remote = Remote::new(&arguments.remote)?;
    remote.write("sys/rotate", &json!({}))?;
    let status = remote.read("sys/key-status")?.data;
    if arguments.format == Format::Table {
        writeln!(out, "Success! Rotated key\n")?;
    }
    show(arguments.format, out, &status)
}

pub(super) fn status(arguments: &Printed, out: &mut dyn Write) -> Result<()> {
    let status = Remote::new(&arguments.remote)?.read("sys/key-status")?.data;
    show(arguments.format, out, &status)
}

fn show(format: Format, out: &mut dyn Write, status: &Value) -> Result<()> {
    if format == Format::Json {
        return Ok(output::json(out, status)?);
    }
    let rows = [
        ("Key Term", print::shown(status, "term")),
        ("Install Time", print::shown(status, "install_time")),
        ("Encryption Count", print::shown(status, "encryptions")),
    ];
    Ok(print::bare(out, &rows)?)
}
