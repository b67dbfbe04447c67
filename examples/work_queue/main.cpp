// A work queue: members of one group share the jobs, each to whoever is ready; what is not worth doing any more is not
// begun. One member leaves in the middle of the work, and the others take over what it had not begun.
#include <amphibus/bus.hpp>

#include <atomic>
#include <cstdio>
#include <optional>

namespace {

struct thumbnail_job {
  int picture;
  int width;
};
constexpr amphibus::topic<thumbnail_job> jobs{"gallery.thumbnails"};
struct thumbnail {
  int picture;
  int bytes;
};
constexpr amphibus::topic<thumbnail> thumbnails{"gallery.thumbnails.done"};

/// Stands for the real work.
int bytes_of(const thumbnail_job& job) { return job.width * job.width / 2; }

}  // namespace

int main() {
  constexpr int pictures = 1'000;
  int made = 0;
  long bytes = 0;

  amphibus::bus bus;
  auto shelf = bus.subscribe(thumbnails, [&](const thumbnail& t) {
    ++made;
    bytes += t.bytes;
  });
  const auto work = [&](const thumbnail_job& job) { bus.publish(thumbnails, {job.picture, bytes_of(job)}); };
  amphibus::pool workers = bus.pool("workers", {.threads = 2});
  auto first = bus.subscribe(jobs, {.name = "first", .on = workers, .group = "workers"}, work);
  auto second = bus.subscribe(jobs, {.name = "second", .on = workers, .group = "workers"}, work);
  std::optional third = bus.subscribe(jobs, {.name = "third", .on = amphibus::dedicated, .group = "workers"}, work);

  auto out = bus.publisher(jobs);
  for (int picture = 1; picture <= pictures; ++picture) {
    out.publish({picture, 64 + picture % 3});
    if (picture == pictures / 2) third.reset();  // returns when its handler does not run any more
  }
  // Somebody scrolled on: this one is wanted at once or not at all.
  out.publish({pictures + 1, 64}, {.deadline = std::chrono::seconds(0)});
  bus.drain();

  const auto expired = first.counters().expired + second.counters().expired;
  std::printf("%d of %d thumbnails, each once, %ld bytes; not begun: %d\n", made, pictures, bytes,
              static_cast<int>(expired));
}
