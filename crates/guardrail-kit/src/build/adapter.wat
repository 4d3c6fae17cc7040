;; The no-WASI adapter: stands between a module that was built for `wasip1` (C, Go, Zig, Swift, …) and a host that gives
;; no WASI. Linked into the component, it answers each function of `wasi_snapshot_preview1` as an empty world would:
;; no arguments, no environment, no files, no network, a clock that stands still, randomness that is always the same.
;; So a guardrail stays what the contract asks for: same input, same answer.
;;
;; What is written to standard output goes to the guardrail's `log` as `info`, to standard error as `error`, one log line
;; for each line of text. Bytes that are not UTF-8 are left out, since the host takes nothing else.
;;
;; `adapter.wasm` beside it is this text assembled, with the world that it imports `log` by; a test in `wasip1`
;; keeps the two equal. Functions that a module does not import are dropped from its component, and with `fd_write`
;; the import of `log`.
(module $no_wasi
  ;; `log: func(level: level, message: string)`, lowered
  (import "leasehold:guardrail/log@1.0.0" "log" (func $log (param $level i32) (param $text i32) (param $length i32)))
  ;; the module's own memory: every pointer below is into it
  (import "env" "memory" (memory 0))

  ;; Nanoseconds. Not 0, which Go takes for a broken clock. Waiting moves it, nothing else does, so that a program
  ;; that sleeps goes on at once.
  (global $now (mut i64) (i64.const 1_000_000_000))

  ;; -- errno ----------------------------------------------------------------------------------------------------------
  ;; 0 success, 8 badf, 28 inval, 70 spipe, 76 notcapable

  ;; 0 for standard input, output and error, else badf: nothing else is ever open
  (func $standard (param $fd i32) (result i32)
    (select (i32.const 0) (i32.const 8) (i32.lt_u (local.get $fd) (i32.const 3))))

  ;; -- arguments, environment -----------------------------------------------------------------------------------------

  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "args_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (call $none (local.get $count) (local.get $bytes)))
  (func (export "environ_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (call $none (local.get $count) (local.get $bytes)))
  (func $none (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))

  ;; -- time, randomness -----------------------------------------------------------------------------------------------

  (func (export "clock_res_get") (param $clock i32) (param $result i32) (result i32)
    (i64.store (local.get $result) (i64.const 1))
    (i32.const 0))
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $result i32) (result i32)
    (i64.store (local.get $result) (global.get $now))
    (i32.const 0))
  ;; byte n is 167 n + 13: seeds hash tables, and must not be used for secrets, which a guardrail has none of
  (func (export "random_get") (param $buffer i32) (param $length i32) (result i32)
    (local $at i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (i32.store8
          (i32.add (local.get $buffer) (local.get $at))
          (i32.add (i32.mul (local.get $at) (i32.const 167)) (i32.const 13)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.const 0))

  ;; Every event has happened. A subscription has 48 bytes: user data at 0, kind at 8 (0 is a clock), timeout at 24,
  ;; flags at 40 (bit 0: it is a point in time). An event has 32: user data at 0, errno at 8, kind at 10.
  (func (export "poll_oneoff")
    (param $subscriptions i32) (param $events i32) (param $count i32) (param $happened i32) (result i32)
    (local $at i32)
    (if (i32.eqz (local.get $count)) (then (return (i32.const 28))))
    (loop $next
      (if (i32.eqz (i32.load8_u offset=8 (local.get $subscriptions)))
        (then (call $wait
          (i64.load offset=24 (local.get $subscriptions))
          (i32.and (i32.load16_u offset=40 (local.get $subscriptions)) (i32.const 1)))))
      (memory.fill (local.get $events) (i32.const 0) (i32.const 32))
      (i64.store (local.get $events) (i64.load (local.get $subscriptions)))
      (i32.store8 offset=10 (local.get $events) (i32.load8_u offset=8 (local.get $subscriptions)))
      (local.set $subscriptions (i32.add (local.get $subscriptions) (i32.const 48)))
      (local.set $events (i32.add (local.get $events) (i32.const 32)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $count))))
    (i32.store (local.get $happened) (local.get $count))
    (i32.const 0))
  (func $wait (param $timeout i64) (param $absolute i32)
    (local $then i64)
    (local.set $then
      (select
        (local.get $timeout)
        (i64.add (global.get $now) (local.get $timeout))
        (local.get $absolute)))
    (if (i64.gt_u (local.get $then) (global.get $now)) (then (global.set $now (local.get $then)))))
  (func (export "sched_yield") (result i32) (i32.const 0))
  ;; Go's own hook; its clock stands still in any case
  (func (export "adapter_monotonic_clock_set_paused") (param $paused i32))

  ;; -- the end of the program: there is no other than a trap -----------------------------------------------------------

  (func (export "proc_exit") (param $code i32) unreachable)
  (func (export "proc_raise") (param $signal i32) (result i32) unreachable)

  ;; -- standard input, output, error ----------------------------------------------------------------------------------

  ;; standard input is at its end
  (func (export "fd_read") (param $fd i32) (param $vectors i32) (param $count i32) (param $read i32) (result i32)
    (if (local.get $fd) (then (return (i32.const 8))))
    (i32.store (local.get $read) (i32.const 0))
    (i32.const 0))
  (func (export "fd_write") (param $fd i32) (param $vectors i32) (param $count i32) (param $written i32) (result i32)
    (local $level i32) (local $total i32) (local $length i32)
    (if (i32.gt_u (i32.sub (local.get $fd) (i32.const 1)) (i32.const 1)) (then (return (i32.const 8))))
    ;; levels: debug, info, warn, error
    (local.set $level (select (i32.const 1) (i32.const 3) (i32.eq (local.get $fd) (i32.const 1))))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $length (i32.load offset=4 (local.get $vectors)))
        (call $write (local.get $level) (i32.load (local.get $vectors)) (local.get $length))
        (local.set $total (i32.add (local.get $total) (local.get $length)))
        (local.set $vectors (i32.add (local.get $vectors) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $total))
    (i32.const 0))

  ;; logs each piece between line ends and bytes that are not UTF-8
  (func $write (param $level i32) (param $at i32) (param $length i32)
    (local $start i32) (local $end i32) (local $bytes i32)
    (local.set $start (local.get $at))
    (local.set $end (i32.add (local.get $at) (local.get $length)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $bytes (call $character (local.get $at) (i32.sub (local.get $end) (local.get $at))))
        (if (i32.or
              (i32.eqz (local.get $bytes))
              (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x0a)))
          (then
            (call $line (local.get $level) (local.get $start) (local.get $at))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $start (local.get $at)))
          (else (local.set $at (i32.add (local.get $at) (local.get $bytes)))))
        (br $next)))
    (call $line (local.get $level) (local.get $start) (local.get $end)))
  (func $line (param $level i32) (param $start i32) (param $end i32)
    (if (i32.lt_u (local.get $start) (local.get $end))
      (then (call $log
        (local.get $level)
        (local.get $start)
        (i32.sub (local.get $end) (local.get $start))))))

  ;; How many bytes the UTF-8 character here has, 0 if there is none (Unicode, table 3-7).
  (func $character (param $at i32) (param $left i32) (result i32)
    (local $first i32) (local $bytes i32) (local $low i32) (local $high i32)
    (local.set $first (i32.load8_u (local.get $at)))
    (if (i32.lt_u (local.get $first) (i32.const 0x80)) (then (return (i32.const 1))))
    ;; what the second byte may be
    (local.set $low (i32.const 0x80))
    (local.set $high (i32.const 0xbf))
    (if (i32.lt_u (local.get $first) (i32.const 0xc2)) (then (return (i32.const 0))))
    (if (i32.gt_u (local.get $first) (i32.const 0xf4)) (then (return (i32.const 0))))
    (local.set $bytes
      (i32.add
        (i32.const 2)
        (i32.add
          (i32.ge_u (local.get $first) (i32.const 0xe0))
          (i32.ge_u (local.get $first) (i32.const 0xf0)))))
    (if (i32.eq (local.get $first) (i32.const 0xe0)) (then (local.set $low (i32.const 0xa0))))
    (if (i32.eq (local.get $first) (i32.const 0xed)) (then (local.set $high (i32.const 0x9f))))
    (if (i32.eq (local.get $first) (i32.const 0xf0)) (then (local.set $low (i32.const 0x90))))
    (if (i32.eq (local.get $first) (i32.const 0xf4)) (then (local.set $high (i32.const 0x8f))))
    (if (i32.lt_u (local.get $left) (local.get $bytes)) (then (return (i32.const 0))))
    (if (i32.lt_u (i32.load8_u offset=1 (local.get $at)) (local.get $low)) (then (return (i32.const 0))))
    (if (i32.gt_u (i32.load8_u offset=1 (local.get $at)) (local.get $high)) (then (return (i32.const 0))))
    (if (i32.gt_u (local.get $bytes) (i32.const 2))
      (then (if (call $not_following (i32.load8_u offset=2 (local.get $at))) (then (return (i32.const 0))))))
    (if (i32.gt_u (local.get $bytes) (i32.const 3))
      (then (if (call $not_following (i32.load8_u offset=3 (local.get $at))) (then (return (i32.const 0))))))
    (local.get $bytes))
  (func $not_following (param $byte i32) (result i32)
    (i32.ne (i32.and (local.get $byte) (i32.const 0xc0)) (i32.const 0x80)))

  ;; A terminal without rights but to be written to, so that C buffers it by the line. 24 bytes: kind at 0
  ;; (2 is a character device), flags at 2, rights at 8 (bit 6 is to write), inherited rights at 16.
  (func (export "fd_fdstat_get") (param $fd i32) (param $result i32) (result i32)
    (if (call $standard (local.get $fd)) (then (return (i32.const 8))))
    (memory.fill (local.get $result) (i32.const 0) (i32.const 24))
    (i32.store8 (local.get $result) (i32.const 2))
    (i64.store offset=8 (local.get $result)
      (select (i64.const 0x40) (i64.const 0x02) (local.get $fd)))
    (i32.const 0))
  ;; 64 bytes: kind at 16
  (func (export "fd_filestat_get") (param $fd i32) (param $result i32) (result i32)
    (if (call $standard (local.get $fd)) (then (return (i32.const 8))))
    (memory.fill (local.get $result) (i32.const 0) (i32.const 64))
    (i32.store8 offset=16 (local.get $result) (i32.const 2))
    (i32.const 0))
  (func (export "fd_close") (param $fd i32) (result i32) (call $standard (local.get $fd)))
  (func (export "fd_datasync") (param $fd i32) (result i32) (call $standard (local.get $fd)))
  (func (export "fd_sync") (param $fd i32) (result i32) (call $standard (local.get $fd)))
  (func (export "fd_fdstat_set_flags") (param $fd i32) (param i32) (result i32) (call $standard (local.get $fd)))
  (func (export "fd_fdstat_set_rights") (param $fd i32) (param i64 i64) (result i32) (call $standard (local.get $fd)))
  (func (export "fd_seek") (param $fd i32) (param i64 i32 i32) (result i32) (call $stream (local.get $fd)))
  (func (export "fd_tell") (param $fd i32) (param i32) (result i32) (call $stream (local.get $fd)))
  ;; one cannot go to a place in them
  (func $stream (param $fd i32) (result i32)
    (select (i32.const 8) (i32.const 70) (call $standard (local.get $fd))))

  ;; -- files, of which there are none ---------------------------------------------------------------------------------

  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 8))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 76))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 76))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (i32.const 76))

  ;; -- sockets, of which there are none -------------------------------------------------------------------------------

  (func (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 8)))
