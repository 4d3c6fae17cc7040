//! Guardrails are compiled in a process of their own: what the real binary does as a compiler, what stops it, and
//! that the one who asked keeps neither a process nor memory.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use guardrail_host::{
    CompileError, Compiler, Grant, Host, HostConfig, Limits, LoadError, PreparedGrant, Verdict,
};

use crate::support::process;

const GUARDRAIL: &[u8] = include_bytes!("../fixtures/contract/1.0.0/rust.wasm");
/// `\0asm`, version 13, layer 1.
const COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 13, 0, 1, 0];
/// `\0asm`, version 1.
const MODULE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

fn host_with(program: impl Into<PathBuf>, limits: Limits) -> Host {
    let compiler = Compiler::SideProcess { program: program.into() };
    Host::new(HostConfig { limits, compiler, ..HostConfig::default() }).unwrap()
}

fn host(limits: Limits) -> Host {
    host_with(env!("CARGO_BIN_EXE_leasehold"), limits)
}

fn leb128(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        bytes.push(if value > 0 { low | 0x80 } else { low });
        if value == 0 {
            return bytes;
        }
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id][..], &leb128(content.len()), content].concat()
}

/// The bomb that is small: of time.
const BOMB: &str = include_str!("../fixtures/guardrails/compile/bomb.wat");

/// A bomb of memory: one function of seven megabytes, the longest there may be, in which every value depends on the one
/// before. As text it would be fifty megabytes long.
fn long_function() -> Vec<u8> {
    // local.get 0, local.get 0, i32.mul, local.set 0
    let step = [0x20, 0, 0x20, 0, 0x6c, 0x21, 0];
    let mut body = vec![0];
    body.extend(step.repeat(1_000_000));
    body.push(0x0b);
    let body = [leb128(body.len()), body].concat();
    let module = [
        &MODULE[..],
        // (func (param i32))
        &section(1, &[1, 0x60, 1, 0x7f, 0]),
        &section(3, &[1, 0]),
        &section(10, &[&[1][..], &body].concat()),
    ]
    .concat();
    [&COMPONENT[..], &section(1, &module)].concat()
}

fn refusal(host: &Host, component: &[u8]) -> CompileError {
    match host.load(component) {
        Err(LoadError::Compile(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

#[test]
fn a_guardrail_compiled_in_a_process_of_its_own_judges() {
    let plugin = host(Limits::default()).load(GUARDRAIL).unwrap();
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}}"#;
    let document = iam_policy::Document::parse(text).unwrap();
    let grant = PreparedGrant::new(Grant::bare(vec![std::sync::Arc::new(document)], 0));
    let report = plugin.evaluate_blocking(&grant, r#"{"does":"nothing"}"#).result.unwrap();
    assert_eq!(report.verdict, Verdict::Pass);
}

#[test]
fn a_compile_bomb_is_stopped_by_each_limit_and_leaves_no_memory() {
    let bomb = wat::parse_str(BOMB).unwrap();
    assert!(bomb.len() < 8_192, "a small one");
    let (before, mib) = (resident_bytes(), 1 << 20);
    let second = Limits {
        compile_time: Duration::from_secs(1),
        compile_memory_bytes: 2 << 30,
        ..Limits::default()
    };
    let too_long = refusal(&host(second), &bomb);
    assert!(matches!(too_long, CompileError::TooLong { .. }), "{too_long}");
    assert!(too_long.to_string().contains("more than 1 s of processor time"), "{too_long}");

    let small = Limits { compile_memory_bytes: 96 * mib, ..Limits::default() };
    let too_large = refusal(&host(small), &long_function());
    assert!(matches!(too_large, CompileError::TooMuchMemory { .. }), "{too_large}");
    assert!(too_large.to_string().contains("more than 96 MiB of memory"), "{too_large}");

    let after = resident_bytes();
    assert!(after < before + 128 * (1 << 20), "{before} bytes became {after}");
}

#[test]
fn what_the_compiler_refuses_is_told_in_its_own_words() {
    let broken = [&COMPONENT[..], &section(1, &[&MODULE[..], &[9, 9, 9]].concat())].concat();
    let there = refusal(&host(Limits::default()), &broken);
    assert!(matches!(there, CompileError::Refused(_)), "{there}");
    let here = refusal(&Host::new(HostConfig::default()).unwrap(), &broken);
    assert_eq!(there.to_string(), here.to_string());
}

#[test]
fn a_program_that_is_no_compiler_is_not_believed() {
    for (program, told) in [
        ("/nonexistent", "the compiler does not start"),
        ("/bin/true", "the compiler is of another build than this program"),
        ("/bin/false", "the compiler crashed on it: exit status: 1"),
    ] {
        let refused = refusal(&host_with(program, Limits::default()), GUARDRAIL);
        assert!(refused.to_string().starts_with(told), "{program}: {refused}");
    }
}

#[test]
fn the_subcommand_tells_people_that_it_is_not_for_them() {
    let output =
        process::binary().args(["compile-guardrail", "now"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("this subcommand is for the server itself"), "{told}");
    let help = process::binary().arg("--help").output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("compile-guardrail"));
}
