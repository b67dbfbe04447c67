// ledger: writes everything down and says the digest when all streams ended.
#include <chrono>
#include <cstdio>
#include <fstream>

#include "ledger.hpp"
#include "modules.hpp"

namespace shop {
namespace {

constexpr std::uint64_t progress_every = 50'000;

struct book {
  ledger of_all;
  std::string path;
  std::chrono::steady_clock::time_point first{};
};

void finish(amphibus::module& m, const book& kept) {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - kept.first;
  if (!kept.path.empty()) {
    std::ofstream out(kept.path);
    for (const std::string& each : kept.of_all.lines()) out << each << '\n';
  }
  std::printf("LEDGER messages=%llu seconds=%.3f digest=%s\n", static_cast<unsigned long long>(kept.of_all.messages()),
              took.count(), kept.of_all.digest().c_str());
  std::fflush(stdout);
  m.done();
}

template <class T>
void write_down(amphibus::module& m, const amphibus::topic<T>& from, book& into) {
  m.subscribe(from, [&](const T& message) {
    if (into.of_all.messages() == 0) into.first = std::chrono::steady_clock::now();
    into.of_all.add(message);
    if (into.of_all.messages() % progress_every == 0) {
      std::printf("PROGRESS %llu\n", static_cast<unsigned long long>(into.of_all.messages()));
      std::fflush(stdout);
    }
    if (into.of_all.complete()) finish(m, into);
  });
}

}  // namespace

void start_ledger(amphibus::module& m, const settings& with) {
  auto& kept = m.make<book>();
  kept.path = with.ledger;
  write_down(m, decided, kept);
  write_down(m, invoices, kept);
  write_down(m, stock_moves, kept);
  write_down(m, shipments, kept);
}

}  // namespace shop
