// How many values there are, their mean, and the sum of their squared deviations from it.
struct Moments {
    count: f32,
    mean: f32,
    squared_deviation: f32,
}

// The moments of both together (Chan, Golub and LeVeque, 1983): nothing cancels, however far from 0 the numbers lie.
fn merge(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    let difference = b.mean - a.mean;
    let fraction = b.count / max(count, 1.0);
    return Moments(
        count,
        a.mean + difference * fraction,
        a.squared_deviation + b.squared_deviation + difference * difference * a.count * fraction,
    );
}
