#pragma once

#include <cstddef>

#include "harness/shape.hpp"

namespace bench {

/// How ours publishes and handles.
enum class way {
  publisher,  ///< a handle per thread
  bus,        ///< bus.publish: no handle
  batches,    ///< publish_batch of 64 to handlers of batches
  loan,       ///< built in place
};

/// Messages published per second through a bus: a thread per publisher, dedicated subscriptions with default options
/// but for the capacity, which is the shape's bound. 0: something was lost.
double ours(const shape& of, std::size_t count, way how = way::publisher);

/// The same with one more subscription that drops the oldest and whose handler stands still; the others lose nothing,
/// or it is 0.
double ours_beside_a_stopped_one(const shape& of, std::size_t count);

/// Calls per second of handlers inside the publish.
double ours_inline(const shape& of, std::size_t count, way how = way::publisher);

/// Messages published per second, round robin over `hot` of `existing` topics, one subscription each. A loop handles
/// them in between, in the same thread; that is not counted.
double ours_over_topics(std::size_t existing, std::size_t hot, std::size_t count);

}  // namespace bench
