#pragma once

namespace bench {

/// Voluntary and involuntary context switches of all threads of this process, per second, over an observed time.
double context_switches_per_second(double seconds);

}  // namespace bench
