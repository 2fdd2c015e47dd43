// The interpolation points a and b of Winograd's algorithm with six points: 0, a, -a, b, -b, infinity. See winograd.ts for the choice.
export const nearPoint: f32 = 0.625;
export const farPoint: f32 = 1.5;
