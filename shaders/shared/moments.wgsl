// How many numbers there are, their mean, and the sum of their squared differences from it.
struct Moments {
    count: f32,
    mean: f32,
    spread: f32,
}

// The moments of both together (Chan, Golub and LeVeque, 1983): nothing cancels, however far from 0 the numbers lie.
fn merged(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    let difference = b.mean - a.mean;
    let share = b.count / max(count, 1.0);
    return Moments(
        count,
        a.mean + difference * share,
        a.spread + b.spread + difference * difference * a.count * share,
    );
}
