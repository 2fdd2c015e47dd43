// The numbers of WordNet's nouns (version 3.0) that the 1000 classes stand for, each as its distance from the one before, in base 36:
// classes are in the order of these numbers. Source: ILSVRC2012's list of classes.
const distances = [
  "uvp8 251 vvl 50v 2ei 1fk 1bi ctv 5b 33n 90x gr 19v 18k 2ef gjt 13m f62 1nj 7m0 7ey 576 50d 12p 4zh 5fk nn rl m3",
  "8v 6sg 25o en esd 150 17p ig 139 51f 19o 44k 2dy 1oa 7d 17k 1y2 rt ng oi 1ul wv 4dv ipl 9o b6 i7 3fd lf 1ew 1tk",
  "ku 1kp 1px 2zb 1aj 1e9 1cc 1m5 jq 981 1f1 8o 24s aw 6w gb a6 8o yr 6ga 8dy m3 16y gm 5wr bs pt 82h fm m6 y9 33x",
  "3e3 cb 3e0 758 8u 2sh 674 hs 3hf 8jq vk p9 3h2 3s6 9w lct 2za 22g 5vv 40c amz dn zz 3w6 3cx anp 78u 4o 1bj uu",
  "1p9 xq c1 u6 3je 92k 4o 318 p2 1af iz 170 12l nt 2pf rm gc 4z0 1ql f3 3v2 351 bdb 3n9 19v 66w 3w9 2dd 2qs 5xt 4i",
  "4a 3z 4h ba 7c 3s 9o jg 40 3i 2u 4m ce lx 2y ba 6r 2r 8n 2u 32 67 4o 5g 4r 9d ph 4s 63 2z 2x 3o 3f 40 4v oh 74",
  "8v 4i 3i 39 3z 44 cu 2b 27 2h 4w 54 cf 51 3j nq 4i 4s 33 3t ar 9n 48 3y 3l am 4o dg 3t 3x 4i dp tc 9c j7 2y 2h",
  "4h 2l 3s 5y 4v 3s 60 4o 34 dc 4q 7a 31 69 2k 2h 99 3l a4 3o da c4 2u 3e 4c 7y 4z 48 4r 44 67 at 3l 3b 5x 9w 8t",
  "4j c6 2g 2f 4z at 51 4k 3z lu 7k mx b1 1gf lb 82 bu 1yk 36 6j 5n da yc 1cd 111 ac 4o 6o c7 jk 1es sh pn 9a 2ez",
  "os kko 9r 1b3 170 m6 22l 1ej 32b 9eq cvm 9qu 5cv 2ej 1hz 1ff 236 fwk 1z0 3z3 35c be 5pp 158 1py it l1 al rfg 1cw",
  "1vm 2yl tm 1bq bdb 2vy 7uj 3i3 1ac 1ac ish 1k7 3d1 sd il 13l 3gi 46q 1ls 17n 2p5 1sx 38g gh 8z b0y 8g 3c6 p3 7h",
  "aa 113 ow 19v 5et 2c5 htb a0 qw 16r 9m z7 zq 45 q1 q8 bf cw t9 1eg hd nl 7w 7y 2ru 202 2w2 cd 44t hs 2rm 9bk 8af",
  "1hdw sc ple vl 1or 8u6 8mg ox 212 2ec 2vr 86m 2gx 1xk 53t 15w 2xa 2jp ex1 2pc cjb 1ry fn1 5b7 id 3pd to 28h 17g",
  "em 274 3k 42 1pt id s5 1n2 1dc 2l7 1j8 5g 1y3 wj 3s 4p9 93 r2 1aq 4k8 8y 1gz 6qs oa 1xy 1w8 tq 1tt c5r 130 3h4",
  "3gm sz hx 4tc 1i9 2ov 6xw fq 1f2 f9 8xo 2f4 df 52v 3n 7se 2s5 6hv 6uv 24i es 6b 8xi 20w be dq 3lp 21j 2cv 1en 8h",
  "yv 11j 50w 30j 8u 5b5 k4 35 c5 ath 1qg 5z wt 6al 17p 37x 78k nu 2h4 1jc b8b 11m 2i 1c7 7oa 7fv 3k3 4or 3i5 6vi",
  "167 abi 3j 17b r6 sw 4y 2td 1s0 nx 5gs 3e4 ave eyo 8m 5uo q0 5xi v4 2zj 51j 5i rp 636 122 1sb 25e dew 6uu zi 387",
  "3a2 9hi c4 fc dyj we 4do dc5 8c4 8x0 5lh ue 172 6uw cfc 3iu 1w8 439 2uj 3w a6 44z rw 43n 33o 9vb 5mb u8 duu if",
  "1cf 43 16b 7m 1xp 1xr 3zd 1g1 18q 4dv 7f4 8j 18e 1zr y9 pb 1m3 ar 57g 1c8 r8 19e 1li lz6 1v4 lq 1ke 1h0 xc 20y",
  "4fd uy7 fz 4n0 305 5v il 2k4 fg 2md b9h 4eu 342 2fj 238 39f 48g 5hb 5kc tk 27e 17a 32u 2sh 26b 2o0 2zk 85z eh tj",
  "3gl 746 2ru aa cc 2c 5bp 2it dp 2ou 3to 2jt 46 ek 6eu p1 d2i ve 284 lc 3yx fi 6o 26h 17j d7 pe us 56 2oy l6 2bm",
  "1gd 3n wb 4q 22o 1c1 5a ed fr 1t5 5b7 14k 7mv 7f 8ea 5b9 40c sm 1di cu 1v0 83y 2wj 6da 1o0 h9 24t 1do od 8i 19c",
  "yh ad 520 2jo fk 9o 21i 29 3hy 30e 1th 1cf 3ny 2o 5n9 3a9 3dz 3ud 5f cq 8t 2jr 12y 1pc jh 3ix 16g 2qj 1t0 3h3",
  "13m 1li 2os 4ij 202 4vb 5a 10d 28s 178 qu 5wy 147 27j 26e 52l nz 2bg pi 7ph 3et 1w7 5rw 2m 2ns 1hu 12a lt 2g4",
  "3jf cbl 1p4 1ii zx 39o 4vi 3uo 32u 7hm 8x6 3ud 1ka 6m 1bl 3hw 1pw 3fd 1mb 1yo 3nr 6z i0 3kv ft 212 258 w6 mm 6a5",
  "d9z 9v5 692 dt 29p 31 2zb pn 2y ein 1cy 4nw 28n 8n 3g8 5v2 px 44 1gn fk 2p 2ld 15g 2sr 123 hz kj 36t 2n2 1iz 1e4",
  "5wo 17j 7pf ads re 4q 4mp 6kx nf 19j 1lt 1iw 2go 11p 68h 14f 13m 2fj 3f5 gj 3f yy 6zh ux 2ao r2 9k gk 3h6 2tl",
  "6k4 31s 3wj 116 3vq 3xr 6al j1 48g 3cq wx 4ud 54z q9 3jw 6da 1xy 2d3 f4 2il 1o4 6mq 25f 2kz pe 1db r0 sj 8p 4mb",
  "65x 35w 1at 1qu 4b6 26c 3cp 11p 161 7f 58x fo 38k 2gj 28a 449 2a 1em 1o4 11n r9 2ac 2fo 1n7 cia 7z 3on 4dv 6n sk",
  "fg sk 335 wj 10q 469 18n 4tp x4 11eu1 5303 4222 6iw 1psb 80on 6sez bcg 2j3 t0 50l hn9 sc ze 1gpi 7ft 1k1 17n 68",
  "ats 2be bn 35 yv f8 e0 42 pg 7n 1n4 72e 3mv 5u9 2sr 1ab 1iv 2q3 4i 8t uc 4rj 61n ppw mgw 4e4 imu 8cm 1jh 11d 4hk",
  "8wo l90 8cc wn r1ia rs4 cxf 7q7 ot8 y5b 1fgu h93 4w6 v3r 32x 7s0t 6p5d 8y8w s62c 19zg 2iu0 1vex 2mzd 7k9x 36aw",
  "4nkn 9zy trz 28h 3gb 638 1gi 1ozx 15m3c",
];

/** `n01440764` and so on: what ImageNet calls the folders of its classes, by class index. */
export function imagenetFolders(): readonly string[] {
  let number = 0;
  return distances
    .join(" ")
    .split(" ")
    .map((distance) => {
      number += Number.parseInt(distance, 36);
      return `n${String(number).padStart(8, "0")}`;
    });
}
