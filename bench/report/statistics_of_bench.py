"""What reports and comparisons compute from samples, as bench/harness/figure.cpp does."""
import math


def quantile(values, share):
    ordered = sorted(values)
    return ordered[int(share * (len(ordered) - 1) + 0.5)] if ordered else 0.0


def median(values):
    return quantile(values, 0.5)


def worked(samples):
    """Without the runs that failed, which are null or 0."""
    return [each for each in samples if each]


def ratios(figure):
    """Pair by pair; one that failed, on either side, must not look good."""
    failed = math.inf if figure["less_is_better"] else 0.0
    return [ours / rival if ours and rival else failed
            for ours, rival in zip(figure["ours_samples"], figure["rival_samples"])]


def outcome_samples(figure):
    """What a comparison of two runs looks at: ratios where there is a rival, since both sides share the machine's mood."""
    if figure["rival_samples"]:
        return ratios(figure)
    failed = math.inf if figure["less_is_better"] else 0.0
    return [failed if each is None else each for each in figure["ours_samples"]]


def rank_sum_p(first, second):
    """Two-sided p of the Wilcoxon rank-sum test (normal approximation with ties): how likely medians so far apart are by
    chance. Needs four samples on each side to say anything."""
    if len(first) < 4 or len(second) < 4:
        return 1.0
    pooled = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, tied, at = [0.0] * len(pooled), 0.0, 0
    while at < len(pooled):
        end = at
        while end + 1 < len(pooled) and pooled[end + 1][0] == pooled[at][0]:
            end += 1
        for i in range(at, end + 1):
            ranks[i] = (at + end) / 2 + 1
        tied += (end - at + 1) ** 3 - (end - at + 1)
        at = end + 1
    n, m = len(first), len(second)
    total = n + m
    rank_sum = sum(rank for rank, (_, side) in zip(ranks, pooled) if side == 0)
    variance = n * m / 12 * ((total + 1) - tied / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = abs(rank_sum - n * (total + 1) / 2) - 0.5
    return math.erfc(max(distance, 0.0) / math.sqrt(variance) / math.sqrt(2))
