#include "throughput/inproc.hpp"

#include <algorithm>

#include "rivals/rivals.hpp"
#include "throughput/ours.hpp"

namespace bench {
namespace {

constexpr double whole = 40'000'000;  // deliveries of one run of ours, small messages

/// One line of the table: a shape, a way of ours, a rival, and what the ratio has to reach.
struct line {
  const char* name;
  shape of;
  way how;
  const char* rival;
  double target;
};

const char* name_of(way how) {
  switch (how) {
    case way::publisher: return "publisher";
    case way::bus: return "bus.publish";
    case way::batches: return "batches";
    case way::loan: return "loan";
  }
  return "";
}

constexpr shape small_1p1c{};
constexpr shape usual_1p1c{.bound = 8192};
constexpr shape small_2p1c{.publishers = 2};
constexpr shape small_4p1c{.publishers = 4};
constexpr shape small_1p3c{.subscribers = 3};
constexpr shape small_1p16c{.subscribers = 16};
constexpr shape page_1p1c{.bytes = 4096, .bound = 256};
constexpr shape page_1p3c{.subscribers = 3, .bytes = 4096, .bound = 256};
constexpr shape large_1p3c{.subscribers = 3, .bytes = std::size_t{1} << 20U, .bound = 16};

const line queued[] = {
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "moodycamel", 1.0},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "moodycamel tuned", 0.7},
    {"inproc/1p1c/32B/8192", usual_1p1c, way::publisher, "moodycamel", 0},
    {"inproc/1p1c/32B", small_1p1c, way::batches, "moodycamel tuned, bulk", 0},
    {"inproc/2p1c/32B", small_2p1c, way::publisher, "moodycamel", 1.0},
    {"inproc/2p1c/32B", small_2p1c, way::publisher, "moodycamel tuned", 0},
    {"inproc/4p1c/32B", small_4p1c, way::publisher, "moodycamel", 1.0},
    {"inproc/4p1c/32B", small_4p1c, way::publisher, "moodycamel tuned", 0},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "mutex + deque", 5},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "mutex + deque, swapped", 0},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "libzmq inproc", 30},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "CAF", 50},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "nng", 100},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "readerwriterqueue", 0},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "readerwriterqueue, naps", 0},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "atomic_queue", 0},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "atomic_queue, naps", 0},
    {"inproc/1p1c/32B", small_1p1c, way::publisher, "Boost.Lockfree", 0},
    {"inproc/2p1c/32B", small_2p1c, way::publisher, "atomic_queue", 0},
    {"inproc/2p1c/32B", small_2p1c, way::publisher, "Boost.Lockfree", 0},
    {"inproc/1p3c/32B", small_1p3c, way::publisher, "moodycamel", 2.0},
    {"inproc/1p3c/32B", small_1p3c, way::publisher, "readerwriterqueue", 0},
    {"inproc/1p16c/32B", small_1p16c, way::publisher, "moodycamel", 4.0},
    {"inproc/1p1c/4KiB", page_1p1c, way::publisher, "moodycamel", 0},
    {"inproc/1p1c/4KiB", page_1p1c, way::publisher, "readerwriterqueue", 0},
    {"inproc/1p3c/4KiB", page_1p3c, way::publisher, "moodycamel", 2.0},
    {"inproc/1p3c/4KiB", page_1p3c, way::loan, "moodycamel", 0},
    {"inproc/1p3c/1MiB", large_1p3c, way::loan, "moodycamel", 0},
};

/// What a message costs, in small ones: a page in a cache of its core, or a megabyte that no cache of a core holds. So
/// a run is long beside the half millisecond in which its threads start and its memory is touched first.
double weight_of(std::size_t bytes) {
  return bytes <= 2048 ? 1 : static_cast<double>(bytes) / (bytes <= 65536 ? 288 : 96);
}

std::size_t count_for(const shape& of, double effort, double share) {
  const double cheap = whole / of.subscribers / weight_of(of.bytes);
  return static_cast<std::size_t>(std::max(cheap * effort * share, 400.0));
}

void add_queued(std::vector<scenario>& to, double effort) {
  for (const line& each : queued) {
    const rival* const against = find_rival(each.rival);
    if (against == nullptr || !against->takes(each.of)) continue;
    to.push_back({.name = each.name,
                  .ours = name_of(each.how),
                  .rival = against->name,
                  .how = against->how,
                  .target = each.target,
                  .run_ours = [&each, effort] { return ours(each.of, count_for(each.of, effort, 1), each.how); },
                  .run_rival = [&each, against,
                                effort] { return against->rate(each.of, count_for(each.of, effort, against->size)); }});
  }
}

/// One thing grows: lines of a chart, named scaling/WHAT/NUMBER.
void add_scaling(std::vector<scenario>& to, double effort) {
  const auto add = [&](const std::string& name, const shape& of, const char* rival_name) {
    const rival* const against = find_rival(rival_name);
    if (against == nullptr || !against->takes(of)) return;
    to.push_back({.name = "scaling/" + name,
                  .ours = "publisher",
                  .rival = against->name,
                  .how = against->how,
                  .pairs_max = 5,
                  .run_ours = [=] { return ours(of, count_for(of, effort / 2, 1)); },
                  .run_rival = [=] { return against->rate(of, count_for(of, effort / 2, against->size)); }});
  };
  for (const char* const rival : {"moodycamel", "mutex + deque"}) {
    for (const int many : {1, 2, 4, 8, 16}) add("subscribers/" + std::to_string(many), {.subscribers = many}, rival);
    for (const int many : {1, 2, 4, 8}) add("publishers/" + std::to_string(many), {.publishers = many}, rival);
    for (const std::size_t bytes : {std::size_t{8}, std::size_t{32}, std::size_t{256}, std::size_t{4096}}) {
      add("bytes/" + std::to_string(bytes), {.bytes = bytes, .bound = bytes > 256 ? 256 : 32'768}, rival);
    }
  }
  for (const std::size_t topics :
       {std::size_t{1}, std::size_t{10}, std::size_t{100}, std::size_t{1000}, std::size_t{10'000}}) {
    const auto count = static_cast<std::size_t>(whole / 8 * effort);
    to.push_back({.name = "scaling/topics/" + std::to_string(topics),
                  .ours = "publishers",
                  .unit = "messages/s",
                  .pairs_max = 5,
                  .run_ours = [=] { return ours_over_topics(topics, topics, count); }});
  }
}

/// Against ourselves: what a convenience or a neighbour costs.
void add_own(std::vector<scenario>& to, double effort) {
  const std::size_t many = count_for(small_1p1c, effort, 1);
  to.push_back({.name = "inproc/1p1c/32B",
                .ours = "bus.publish",
                .rival = "publisher",
                .how = "the same with a handle",
                .target = 0.7,
                .run_ours = [many] { return ours(small_1p1c, many, way::bus); },
                .run_rival = [many] { return ours(small_1p1c, many); }});
  // Half a second: two cores take turns between seventeen threads, and a difference of some percent is asked.
  const std::size_t long_run = 32 * count_for(small_1p16c, effort, 1);
  to.push_back({.name = "inproc/1p16c/32B",
                .ours = "one of 16 stopped",
                .rival = "15, nobody stopped",
                .how = "the stopped one has drop_oldest, the others block and lose nothing",
                .target = 0.95,
                .run_ours = [=] { return ours_beside_a_stopped_one(small_1p16c, long_run); },
                .run_rival =
                    [=] {
                      shape of = small_1p16c;
                      --of.subscribers;
                      return ours(of, long_run);
                    }});
}

void add_inline(std::vector<scenario>& to, double effort) {
  struct limit {
    const char* rival;
    double target;
  };
  for (const auto& [name, target] :
       {limit{"std::function", 1 / 1.5}, limit{"Boost.Signals2", 10}, limit{"libsigc++", 10}}) {
    const rival* const against = find_rival(name);
    if (against == nullptr) continue;
    const auto count = static_cast<std::size_t>(whole * effort);
    to.push_back({.name = "inline/1 handler",
                  .ours = "publisher",
                  .rival = against->name,
                  .how = against->how,
                  .unit = "calls/s",
                  .target = target,
                  .run_ours = [count] { return ours_inline(small_1p1c, count); },
                  .run_rival =
                      [count, against] {
                        return against->rate(small_1p1c,
                                             static_cast<std::size_t>(static_cast<double>(count) * against->size));
                      }});
  }
}

void add_growth(std::vector<scenario>& to, double effort) {
  const auto count = static_cast<std::size_t>(whole / 4 * effort);
  to.push_back({.name = "topics/1000 hot of 100000",
                .ours = "publishers",
                .rival = "1 hot of 1",
                .how = "the same with one topic",
                .target = 1 / 1.2,
                .pairs_max = 11,
                .run_ours = [count] { return ours_over_topics(100'000, 1000, count); },
                .run_rival = [count] { return ours_over_topics(1, 1, count); }});
  to.push_back({.name = "topics/100000 hot",
                .ours = "publishers",
                .rival = "1 hot of 1",
                .how = "the same with one topic",
                .pairs_max = 5,
                .run_ours = [count] { return ours_over_topics(100'000, 100'000, count); },
                .run_rival = [count] { return ours_over_topics(1, 1, count); }});
}

}  // namespace

std::vector<scenario> inproc_scenarios(double effort) {
  std::vector<scenario> out;
  add_queued(out, effort);
  add_own(out, effort);
  add_inline(out, effort);
  add_growth(out, effort);
  add_scaling(out, effort);
  return out;
}

}  // namespace bench
