//! The CPU kernels against the f64 reference, over shapes drawn by proptest.

mod kernel_cases;
mod reference;

#[test]
fn cases_are_of_their_kernel_and_have_a_finite_answer() {
    for family in kernel_cases::families() {
        kernel_cases::check(family.name, 20, |case| {
            assert_eq!(case.kernel.name(), family.name);
            let finite = case.expected().iter().flatten().all(|x| x.is_finite());
            finite.then_some(()).ok_or_else(|| format!("{case:?} has no finite answer"))
        });
    }
}
