;; What the machine allows a WebAssembly module with 128-bit vectors, strict arithmetic and one thread. Not part of the product.
;; Assembled as it stands by binaryen's wasm-as, without an optimiser.
(module
  (memory (export "memory") 4097)

  ;; Twelve independent chains v = v * m + a, as many as hide the latency and fit V8's registers beside m and a; 96 operations a
  ;; round, 2 per multiplication and addition of a lane. Returns the sum of all lanes, so that nothing can be left out.
  (func (export "mulAdd") (param $rounds i32) (param $m f32) (param $a f32) (result f32)
    (local $vm v128) (local $va v128)
    (local $0 v128) (local $1 v128) (local $2 v128) (local $3 v128) (local $4 v128) (local $5 v128)
    (local $6 v128) (local $7 v128) (local $8 v128) (local $9 v128) (local $10 v128) (local $11 v128)
    (local.set $vm (f32x4.splat (local.get $m)))
    (local.set $va (f32x4.splat (local.get $a)))
    (local.set $0 (v128.const f32x4 0 1 2 3))
    (local.set $1 (v128.const f32x4 1 2 3 4))
    (local.set $2 (v128.const f32x4 2 3 4 5))
    (local.set $3 (v128.const f32x4 3 4 5 6))
    (local.set $4 (v128.const f32x4 4 5 6 7))
    (local.set $5 (v128.const f32x4 5 6 7 8))
    (local.set $6 (v128.const f32x4 6 7 8 9))
    (local.set $7 (v128.const f32x4 7 8 9 10))
    (local.set $8 (v128.const f32x4 8 9 10 11))
    (local.set $9 (v128.const f32x4 9 10 11 12))
    (local.set $10 (v128.const f32x4 10 11 12 13))
    (local.set $11 (v128.const f32x4 11 12 13 14))
    (loop $next
      (local.set $0 (f32x4.add (f32x4.mul (local.get $0) (local.get $vm)) (local.get $va)))
      (local.set $1 (f32x4.add (f32x4.mul (local.get $1) (local.get $vm)) (local.get $va)))
      (local.set $2 (f32x4.add (f32x4.mul (local.get $2) (local.get $vm)) (local.get $va)))
      (local.set $3 (f32x4.add (f32x4.mul (local.get $3) (local.get $vm)) (local.get $va)))
      (local.set $4 (f32x4.add (f32x4.mul (local.get $4) (local.get $vm)) (local.get $va)))
      (local.set $5 (f32x4.add (f32x4.mul (local.get $5) (local.get $vm)) (local.get $va)))
      (local.set $6 (f32x4.add (f32x4.mul (local.get $6) (local.get $vm)) (local.get $va)))
      (local.set $7 (f32x4.add (f32x4.mul (local.get $7) (local.get $vm)) (local.get $va)))
      (local.set $8 (f32x4.add (f32x4.mul (local.get $8) (local.get $vm)) (local.get $va)))
      (local.set $9 (f32x4.add (f32x4.mul (local.get $9) (local.get $vm)) (local.get $va)))
      (local.set $10 (f32x4.add (f32x4.mul (local.get $10) (local.get $vm)) (local.get $va)))
      (local.set $11 (f32x4.add (f32x4.mul (local.get $11) (local.get $vm)) (local.get $va)))
      (br_if $next (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.set $0 (f32x4.add (local.get $0) (local.get $1)))
    (local.set $2 (f32x4.add (local.get $2) (local.get $3)))
    (local.set $4 (f32x4.add (local.get $4) (local.get $5)))
    (local.set $6 (f32x4.add (local.get $6) (local.get $7)))
    (local.set $8 (f32x4.add (local.get $8) (local.get $9)))
    (local.set $10 (f32x4.add (local.get $10) (local.get $11)))
    (local.set $0 (f32x4.add (f32x4.add (local.get $0) (local.get $2)) (f32x4.add (local.get $4) (local.get $6))))
    (local.set $0 (f32x4.add (local.get $0) (f32x4.add (local.get $8) (local.get $10))))
    (f32.add
      (f32.add (f32x4.extract_lane 0 (local.get $0)) (f32x4.extract_lane 1 (local.get $0)))
      (f32.add (f32x4.extract_lane 2 (local.get $0)) (f32x4.extract_lane 3 (local.get $0)))))

  ;; Reads `bytes`, a multiple of 128, from `at` and returns the sum of the 32-bit integers in them.
  (func (export "readSum") (param $at i32) (param $bytes i32) (result i32)
    (local $end i32) (local $0 v128) (local $1 v128) (local $2 v128) (local $3 v128)
    (local.set $end (i32.add (local.get $at) (local.get $bytes)))
    (loop $next
      (local.set $0 (i32x4.add (local.get $0) (v128.load offset=0 (local.get $at))))
      (local.set $1 (i32x4.add (local.get $1) (v128.load offset=16 (local.get $at))))
      (local.set $2 (i32x4.add (local.get $2) (v128.load offset=32 (local.get $at))))
      (local.set $3 (i32x4.add (local.get $3) (v128.load offset=48 (local.get $at))))
      (local.set $0 (i32x4.add (local.get $0) (v128.load offset=64 (local.get $at))))
      (local.set $1 (i32x4.add (local.get $1) (v128.load offset=80 (local.get $at))))
      (local.set $2 (i32x4.add (local.get $2) (v128.load offset=96 (local.get $at))))
      (local.set $3 (i32x4.add (local.get $3) (v128.load offset=112 (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 128))) (local.get $end))))
    (local.set $0 (i32x4.add (i32x4.add (local.get $0) (local.get $1)) (i32x4.add (local.get $2) (local.get $3))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $0)) (i32x4.extract_lane 1 (local.get $0)))
      (i32.add (i32x4.extract_lane 2 (local.get $0)) (i32x4.extract_lane 3 (local.get $0)))))

  ;; Reads `bytes`, a multiple of 4096, from `from`, and for every 4096 of them writes `share`, a multiple of 64, to `to`: what a layer cannot do without.
  ;; Returns the sum of the 32-bit integers read; writes the sums so far.
  (func (export "stream") (param $to i32) (param $share i32) (param $from i32) (param $bytes i32) (result i32)
    (local $end i32) (local $until i32) (local $0 v128) (local $1 v128) (local $2 v128) (local $3 v128)
    (local.set $end (i32.add (local.get $from) (local.get $bytes)))
    (loop $next
      (local.set $until (i32.add (local.get $from) (i32.const 4096)))
      (loop $read
        (local.set $0 (i32x4.add (local.get $0) (v128.load offset=0 (local.get $from))))
        (local.set $1 (i32x4.add (local.get $1) (v128.load offset=16 (local.get $from))))
        (local.set $2 (i32x4.add (local.get $2) (v128.load offset=32 (local.get $from))))
        (local.set $3 (i32x4.add (local.get $3) (v128.load offset=48 (local.get $from))))
        (br_if $read (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 64))) (local.get $until))))
      (local.set $until (i32.add (local.get $to) (local.get $share)))
      (loop $write
        (v128.store offset=0 (local.get $to) (local.get $0))
        (v128.store offset=16 (local.get $to) (local.get $1))
        (v128.store offset=32 (local.get $to) (local.get $2))
        (v128.store offset=48 (local.get $to) (local.get $3))
        (br_if $write (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 64))) (local.get $until))))
      (br_if $next (i32.lt_u (local.get $from) (local.get $end))))
    (local.set $0 (i32x4.add (i32x4.add (local.get $0) (local.get $1)) (i32x4.add (local.get $2) (local.get $3))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $0)) (i32x4.extract_lane 1 (local.get $0)))
      (i32.add (i32x4.extract_lane 2 (local.get $0)) (i32x4.extract_lane 3 (local.get $0))))))
