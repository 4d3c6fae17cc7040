//! The no-WASI adapter by itself: called as a module would call it, with a memory and a log that are looked into.

use std::path::Path;

use wasmtime::{
    Caller, Engine, Extern, Instance, Linker, Memory, MemoryType, Module, Store, TypedFunc,
    WasmParams,
};

use super::*;
use crate::build::CONTRACT as OUR_CONTRACT;

/// What the adapter imports, as a world of the contract's own package.
const WORLD_OF_THE_ADAPTER: &str = "\nworld no-wasi { import log; }\n";
const SUCCESS: i32 = 0;
const BADF: i32 = 8;
const NOT_CAPABLE: i32 = 76;

type Lines = Vec<(i32, String)>;

struct Adapted {
    store: Store<Lines>,
    memory: Memory,
    instance: Instance,
}

impl Adapted {
    fn new() -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, ADAPTER).unwrap();
        let mut store = Store::new(&engine, Lines::new());
        let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define(&store, "env", "memory", memory).unwrap();
        let log = move |mut caller: Caller<'_, Lines>, level: i32, at: i32, length: i32| {
            let (at, length) = (usize::try_from(at).unwrap(), usize::try_from(length).unwrap());
            let text = memory.data(&caller)[at..at + length].to_vec();
            caller.data_mut().push((level, String::from_utf8(text).unwrap()));
        };
        linker.func_wrap("leasehold:guardrail/log@1.0.0", "log", log).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        Self { store, memory, instance }
    }

    fn call<P: WasmParams>(&mut self, name: &str, parameters: P) -> i32 {
        let function: TypedFunc<P, i32> =
            self.instance.get_typed_func(&mut self.store, name).unwrap();
        function.call(&mut self.store, parameters).unwrap()
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.memory.write(&mut self.store, at, bytes).unwrap();
    }

    fn u32_at(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.memory.data(&self.store)[at..at + 4].try_into().unwrap())
    }

    fn u64_at(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.memory.data(&self.store)[at..at + 8].try_into().unwrap())
    }

    /// One `fd_write` of these pieces; the answer is the errno and how many bytes were taken.
    fn write(&mut self, fd: i32, pieces: &[&[u8]]) -> (i32, u32) {
        let (mut vectors, mut text) = (Vec::new(), 1024_u32);
        for piece in pieces {
            let length = u32::try_from(piece.len()).unwrap();
            vectors.extend(text.to_le_bytes());
            vectors.extend(length.to_le_bytes());
            self.put(usize::try_from(text).unwrap(), piece);
            text += length;
        }
        self.put(0, &vectors);
        let count = i32::try_from(pieces.len()).unwrap();
        (self.call("fd_write", (fd, 0, count, 512)), self.u32_at(512))
    }

    /// What a write to standard output logs.
    fn logged(&mut self, text: &[u8]) -> Vec<String> {
        self.store.data_mut().clear();
        assert_eq!(self.write(1, &[text]), (SUCCESS, u32::try_from(text.len()).unwrap()));
        self.store.data().iter().map(|(_, line)| line.clone()).collect()
    }

    fn now(&mut self) -> u64 {
        assert_eq!(self.call("clock_time_get", (1, 1_i64, 256)), SUCCESS);
        self.u64_at(256)
    }
}

fn assembled() -> Vec<u8> {
    let core = wat::parse_str(include_str!("../adapter.wat")).unwrap();
    componentize::embed_world(&core, &format!("{OUR_CONTRACT}{WORLD_OF_THE_ADAPTER}"), "no-wasi")
        .unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how a person asks for the file to be made anew")]
fn the_committed_adapter_is_its_text_assembled() {
    let made = assembled();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/build/adapter.wasm");
    if std::env::var_os("UPDATE_ADAPTER").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let same = std::fs::read(&file).unwrap() == made;
    assert!(
        same,
        "run UPDATE_ADAPTER=1 cargo test -p guardrail-kit adapter, and commit adapter.wasm"
    );
}

#[test]
fn output_is_logged_by_the_line_and_errors_as_errors() {
    let mut adapted = Adapted::new();
    assert_eq!(adapted.write(1, &[b"one\ntwo\n\nth", b"ree"]), (SUCCESS, 14));
    assert_eq!(adapted.write(2, &[b"no\n"]), (SUCCESS, 3));
    let expected = [(1, "one"), (1, "two"), (1, "th"), (1, "ree"), (3, "no")];
    let seen: Vec<(i32, &str)> =
        adapted.store.data().iter().map(|(level, line)| (*level, line.as_str())).collect();
    assert_eq!(seen, expected);
    assert_eq!(adapted.write(0, &[b"a"]).0, BADF);
    assert_eq!(adapted.write(3, &[b"a"]).0, BADF);
}

#[test]
fn bytes_that_are_not_utf_8_are_left_out() {
    let mut adapted = Adapted::new();
    for good in
        ["a\u{7f}", "ä\u{80}\u{7ff}", "€\u{800}\u{ffff}\u{d7ff}\u{e000}", "𝄞\u{10000}\u{10ffff}"]
    {
        assert_eq!(adapted.logged(good.as_bytes()), [good]);
    }
    let bad: [&[u8]; 12] = [
        b"\x80",
        b"\xbf",
        b"\xc1\xbf",
        b"\xc3",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xe2\x82",
        b"\xe2(\xac",
        b"\xf0\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xff",
    ];
    for bytes in bad {
        let seen = adapted.logged(&[b"a", bytes, b"b"].concat());
        assert_eq!(seen.concat().replace('(', ""), "ab", "{bytes:?}");
    }
}

#[test]
fn the_clock_stands_still_but_for_waiting() {
    let mut adapted = Adapted::new();
    assert_eq!((adapted.now(), adapted.now()), (1_000_000_000, 1_000_000_000));
    // A clock for 5 s from now, and standard input.
    let mut clock = [0_u8; 96];
    clock[0] = 7;
    clock[24..32].copy_from_slice(&5_000_000_000_u64.to_le_bytes());
    clock[48] = 9;
    clock[56] = 1;
    adapted.put(1024, &clock);
    assert_eq!(adapted.call("poll_oneoff", (1024, 2048, 2, 512)), SUCCESS);
    assert_eq!((adapted.u32_at(512), adapted.u64_at(2048), adapted.u64_at(2080)), (2, 7, 9));
    assert_eq!((adapted.u64_at(2056), adapted.u64_at(2088)), (0, 1 << 16));
    assert_eq!(adapted.now(), 6_000_000_000);
    // A point in time that is past.
    clock[40] = 1;
    adapted.put(1024, &clock);
    assert_eq!(adapted.call("poll_oneoff", (1024, 2048, 1, 512)), SUCCESS);
    assert_eq!(adapted.now(), 6_000_000_000);
}

#[test]
fn randomness_is_always_the_same() {
    let random = || {
        let mut adapted = Adapted::new();
        assert_eq!(adapted.call("random_get", (1024, 300)), SUCCESS);
        adapted.memory.data(&adapted.store)[1024..1325].to_vec()
    };
    let bytes = random();
    assert_eq!(bytes, random());
    assert_eq!((&bytes[..3], bytes[300]), (&[13, 180, 91][..], 0));
}

#[test]
fn there_are_no_arguments_files_or_ends_but_a_trap() {
    let mut adapted = Adapted::new();
    adapted.put(0, &[0xff; 16]);
    assert_eq!(adapted.call("args_sizes_get", (0, 4)), SUCCESS);
    assert_eq!(adapted.call("environ_sizes_get", (8, 12)), SUCCESS);
    assert_eq!((adapted.u64_at(0), adapted.u64_at(8)), (0, 0));
    assert_eq!(adapted.call("fd_read", (0, 0, 0, 512)), SUCCESS);
    assert_eq!(adapted.call("fd_read", (3, 0, 0, 512)), BADF);
    assert_eq!(adapted.call("fd_prestat_get", (3, 0)), BADF);
    assert_eq!(adapted.call("path_unlink_file", (3, 0, 0)), NOT_CAPABLE);
    let exit: TypedFunc<i32, ()> =
        adapted.instance.get_typed_func(&mut adapted.store, "proc_exit").unwrap();
    assert!(exit.call(&mut adapted.store, 0).is_err());
}

#[test]
fn every_function_of_wasi_is_there() {
    let mut adapted = Adapted::new();
    let exports: Vec<Extern> =
        adapted.instance.exports(&mut adapted.store).map(wasmtime::Export::into_extern).collect();
    // wasi_snapshot_preview1 has 46 (witx of 2020, and sock_accept); Go's bindings ask for one more.
    assert_eq!(exports.len(), 47);
}
