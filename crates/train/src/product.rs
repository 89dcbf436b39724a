//! Matrix products of training, in the three forms that a linear layer and its gradients
//! need. All matrices lie in row order; nothing is transposed in memory.

/// Whether a product takes the place of what is in the output or is added to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Into {
    Replace,
    Add,
}

/// One side: numbers, and how far apart its rows and columns lie.
#[derive(Clone, Copy)]
struct Side<'a> {
    numbers: &'a [f32],
    row: usize,
    column: usize,
}

/// `out = a · bᵀ`, with `a` `[rows, inner]`, `b` `[columns, inner]`, `out` `[rows, columns]`.
pub(crate) fn by_transposed(a: &[f32], b: &[f32], inner: usize, out: &mut [f32], into: Into) {
    let (rows, columns) = (a.len() / inner, b.len() / inner);
    let a = Side {
        numbers: a,
        row: inner,
        column: 1,
    };
    let b = Side {
        numbers: b,
        row: 1,
        column: inner,
    };
    multiply(a, b, (rows, inner, columns), out, into);
}

/// `out = a · b`, with `a` `[rows, inner]`, `b` `[inner, columns]`, `out` `[rows, columns]`.
pub(crate) fn by(a: &[f32], b: &[f32], inner: usize, out: &mut [f32], into: Into) {
    let (rows, columns) = (a.len() / inner, b.len() / inner);
    let a = Side {
        numbers: a,
        row: inner,
        column: 1,
    };
    let b = Side {
        numbers: b,
        row: columns,
        column: 1,
    };
    multiply(a, b, (rows, inner, columns), out, into);
}

/// `out = aᵀ · b`, with `a` `[inner, rows]`, `b` `[inner, columns]`, `out` `[rows, columns]`.
pub(crate) fn transposed_by(a: &[f32], b: &[f32], inner: usize, out: &mut [f32], into: Into) {
    if inner == 0 {
        if into == Into::Replace {
            out.fill(0.0);
        }
        return;
    }
    let (rows, columns) = (a.len() / inner, b.len() / inner);
    let a = Side {
        numbers: a,
        row: 1,
        column: rows,
    };
    let b = Side {
        numbers: b,
        row: columns,
        column: 1,
    };
    multiply(a, b, (rows, inner, columns), out, into);
}

#[expect(unsafe_code, reason = "the library takes pointers and strides")]
fn multiply(
    a: Side<'_>,
    b: Side<'_>,
    (rows, inner, columns): (usize, usize, usize),
    out: &mut [f32],
    into: Into,
) {
    assert_eq!(
        a.numbers.len(),
        rows * inner,
        "the left side is [rows, inner]"
    );
    assert_eq!(
        b.numbers.len(),
        inner * columns,
        "the right side is [inner, columns]"
    );
    assert_eq!(out.len(), rows * columns, "the output is [rows, columns]");
    let keep = if into == Into::Add { 1.0 } else { 0.0 };
    // SAFETY: with the lengths just checked, every place that the strides reach lies inside
    // its slice, and `out` is borrowed by nobody else.
    unsafe {
        matrixmultiply::sgemm(
            rows,
            inner,
            columns,
            1.0,
            a.numbers.as_ptr(),
            a.row as isize,
            a.column as isize,
            b.numbers.as_ptr(),
            b.row as isize,
            b.column as isize,
            keep,
            out.as_mut_ptr(),
            columns as isize,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_agree_with_sums() {
        // a is [2, 3], b is [3, 2].
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, -1.0, 0.5, 3.0];
        let product = [6.5, 7.0, 17.0, 13.0];
        let mut out = [1.0; 4];
        by(&a, &b, 3, &mut out, Into::Replace);
        assert_eq!(out, product);
        by(&a, &b, 3, &mut out, Into::Add);
        assert_eq!(out, product.map(|number| 2.0 * number));
        let b_transposed = [1.0, 2.0, 0.5, 0.0, -1.0, 3.0];
        by_transposed(&a, &b_transposed, 3, &mut out, Into::Replace);
        assert_eq!(out, product);
        let a_transposed = [1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
        transposed_by(&a_transposed, &b, 3, &mut out, Into::Replace);
        assert_eq!(out, product);
        transposed_by(&[], &[], 0, &mut out, Into::Replace);
        assert_eq!(out, [0.0; 4]);
    }
}
