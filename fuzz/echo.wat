;; A guest that answers with whatever its settings say: two letters from a to p are one byte of its memory from 16384
;; on, and that is where its report (or its list of issues) is. So the host decodes any bytes at all as an answer.

(func $decode (param $text i32) (param $length i32) (local $at i32) (local $end i32)
  (local.set $at (i32.const 16384))
  ;; At most 16 KiB of answer.
  (if (i32.gt_u (local.get $length) (i32.const 32768)) (then (local.set $length (i32.const 32768))))
  (local.set $end (i32.add (local.get $text) (i32.and (local.get $length) (i32.const -2))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $text) (local.get $end)))
      (i32.store8 (local.get $at)
        (i32.or
          (i32.shl (i32.sub (i32.load8_u (local.get $text)) (i32.const 97)) (i32.const 4))
          (i32.sub (i32.load8_u offset=1 (local.get $text)) (i32.const 97))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $text (i32.add (local.get $text) (i32.const 2)))
      (br $next))))

(func (export "leasehold:guardrail/guardrail@1.0.0#check-settings") (param i32 i32) (result i32)
  (call $decode (local.get 0) (local.get 1))
  (i32.const 16384))

;; The settings stand behind the grant, which takes 224 bytes.
(func (export "leasehold:guardrail/guardrail@1.0.0#evaluate") (param i32) (result i32)
  (call $decode (i32.load offset=224 (local.get 0)) (i32.load offset=228 (local.get 0)))
  (i32.const 16384))
