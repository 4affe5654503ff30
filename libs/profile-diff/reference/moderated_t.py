"""Reference figures for moderated-variance.test.ts, by another route.

Python's standard library only. digamma and trigamma are taken from math.lgamma by differences and by a series, the
inverse of trigamma by Newton's steps, p by integrating the density of t: nothing is shared with the TypeScript but the
formulas in docs/comparison.md. Run: python3 moderated_t.py
"""
import math

def trigamma(x):
    s, n = 0.0, 200000
    for k in range(n):
        s += 1.0 / (x + k) ** 2
    y = x + n
    return s + 1 / y + 1 / (2 * y * y) + 1 / (6 * y ** 3)  # Euler-Maclaurin tail

def digamma(x):
    s, n = 0.0, 200000
    for k in range(n):
        s -= 1.0 / (x + k)
    y = x + n
    return s + math.log(y) - 1 / (2 * y) - 1 / (12 * y * y)

def inverse_trigamma(y):
    x = 0.5 + 1 / y
    for _ in range(60):
        h = 1e-5 * x
        slope = (trigamma(x + h) - trigamma(x - h)) / (2 * h)
        tri = trigamma(x)
        x += tri * (1 - tri / y) / slope  # Smyth 2004, appendix
        if abs(tri / y - 1) < 1e-13:
            break
    return x

def p_of_t(t, df):
    c = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    # x = sqrt(df) tan(a) turns the tail into an integral over a finite range; Simpson.
    a0, a1, n = math.atan(abs(t) / math.sqrt(df)), math.pi / 2, 20000
    h = (a1 - a0) / n
    f = lambda a: max(0.0, math.cos(a)) ** (df - 1)
    s = f(a0) + f(a1) + sum((4 if i % 2 else 2) * f(a0 + i * h) for i in range(1, n))
    return 2 * c * math.sqrt(df) * s * h / 3

def median(v):
    v = sorted(v); n = len(v)
    return v[n // 2] if n % 2 else (v[n // 2 - 1] + v[n // 2]) / 2

def compare(before, after, work_before, work_after):
    functions = []
    for a, b in zip(before, after):
        sides = []
        total = (sum(a) + sum(b)) / (sum(work_before) + sum(work_after))
        for counts, work in ((a, work_before), (b, work_after)):
            rate = sum(counts) / sum(work)
            share = [w / sum(work) for w in work]
            expected = total * sum(work)
            sides.append(dict(rate=rate, share=share, r=[c / (rate * w) - 1 for c, w in zip(counts, work)],
                              counting=[1 / (s * expected) for s in share]))
        functions.append(sides)
    df = len(work_before) + len(work_after) - 2
    c = (1 - 2 / (9 * df)) ** 3
    beyond = []
    for sides in functions:
        raw = sum(sum(s * r * r for s, r in zip(side['share'], side['r'])) * len(side['r']) for side in sides) / df
        counting = sum(sum(s * v for s, v in zip(side['share'], side['counting'])) * (len(side['r']) - 1) for side in sides) / df
        beyond.append(raw / c - counting)
    tau2 = max(median(beyond), 1e-5)
    scales, trends, countings, units = [], [], [], []
    for sides in functions:
        q = m = trend = counting = 0.0
        z = []
        for side in sides:
            v = [tau2 + x for x in side['counting']]
            of_mean = sum(s * s * x for s, x in zip(side['share'], v))
            q += sum(r * r / x for r, x in zip(side['r'], v))
            m += sum(1 - 2 * s + of_mean / x for s, x in zip(side['share'], v))
            trend += of_mean
            counting += sum(s * s * x for s, x in zip(side['share'], side['counting']))
            z += [r / math.sqrt(x) for r, x in zip(side['r'], v)]
        n = math.sqrt(sum(x * x for x in z))
        units.append([x / n for x in z]); scales.append(q / m); trends.append(trend); countings.append(counting)
    e = [math.log(s) - digamma(df / 2) + math.log(df / 2) for s in scales]
    mean = sum(e) / len(e)
    excess = sum((x - mean) ** 2 for x in e) / (len(e) - 1) - trigamma(df / 2)
    if excess <= 0:
        d0, s0 = math.inf, math.exp(mean)
    else:
        d0 = 2 * inverse_trigamma(excess)
        s0 = math.exp(mean + digamma(d0 / 2) - math.log(d0 / 2))
    n = len(functions)
    pairs = [sum(x * y for x, y in zip(units[i], units[j])) ** 2 for i in range(n) for j in range(n) if i != j]
    corr = min(1, max(0, (sum(pairs) / len(pairs) - 1 / df) / (1 - 1 / df)))
    max_df = df * n / (1 + (n - 1) * corr)
    print('tau2', tau2, 'd0', d0, 's0', s0, 'maxDf', max_df)
    for sides, scale, trend, counting in zip(functions, scales, trends, countings):
        post = s0 if d0 == math.inf else (d0 * s0 + df * scale) / (d0 + df)
        se = math.sqrt(max(counting, post * trend))
        log = math.log(sides[1]['rate'] / sides[0]['rate'])
        total_df = min(df + d0, max_df)
        print('[%.12g, %.12g, %.12g, %.12g],' % (log, se, total_df, p_of_t(log / se, total_df)))

print('even, 4 v 4, variances unlike')
compare([[100, 118, 92, 105], [1000, 1260, 830, 1010], [400, 402, 396, 399], [50, 61, 48, 44], [2000, 2100, 1950, 2040]],
        [[130, 141, 128, 150], [900, 1150, 1300, 840], [470, 468, 475, 466], [55, 47, 60, 52], [2010, 1990, 2080, 2110]],
        [1000] * 4, [1000] * 4)
print('3 v 5, unequal work, variances alike')
compare([[100, 240, 92], [1000, 2190, 890], [410, 790, 396], [50, 108, 48]],
        [[130, 65, 140, 125, 290], [1010, 520, 1090, 905, 2050], [380, 210, 404, 420, 790], [49, 30, 55, 47, 110]],
        [1000, 2000, 900], [1000, 500, 1050, 950, 2000])
