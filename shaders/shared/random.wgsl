#import step

// Philox4x32-10, bit for bit as src/rng.rs.

// The upper half of a 64-bit product, from products of 16-bit halves.
fn multiply_high(a: u32, b: u32) -> u32 {
    let a_low = a & 0xffffu;
    let a_high = a >> 16u;
    let b_low = b & 0xffffu;
    let b_high = b >> 16u;
    let middle = a_high * b_low + ((a_low * b_low) >> 16u);
    let carry = a_low * b_high + (middle & 0xffffu);
    return a_high * b_high + (middle >> 16u) + (carry >> 16u);
}

// One block of four random words.
fn philox(first_counter: vec4<u32>, first_key: vec2<u32>) -> vec4<u32> {
    var counter = first_counter;
    var key = first_key;
    for (var round = 0u; round < 10u; round += 1u) {
        if (round > 0u) {
            key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
        }
        let high_0 = multiply_high(0xD2511F53u, counter.x);
        let high_1 = multiply_high(0xCD9E8D57u, counter.z);
        counter = vec4<u32>(
            high_1 ^ counter.y ^ key.x,
            0xCD9E8D57u * counter.z,
            high_0 ^ counter.w ^ key.y,
            0xD2511F53u * counter.x,
        );
    }
    return counter;
}

// Words 4 * block .. 4 * block + 3 of this step's sequence.
fn random_words(block: u32, substream: u32, stream: u32) -> vec4<u32> {
    let counter = vec4<u32>(block, step_inputs.step, substream, stream);
    return philox(counter, vec2<u32>(step_inputs.seed_low, step_inputs.seed_high));
}

// Uniform in [0, 1) with 24 bits.
fn uniform_numbers(words: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(words >> vec4<u32>(8u)) * (1.0 / 16777216.0);
}
