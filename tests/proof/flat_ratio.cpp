// flat_ratio [PAIRS [MESSAGES]]: readings of about 1 KiB per second over tcp, as flat<Reading> and as ReadingT, in
// interleaved pairs; both are made, published, received and summed up.
#include <amphibus/bus.hpp>
#include <amphibus/wire/flat.hpp>

#include <reading_amphibus.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <semaphore>
#include <vector>

#include "two_buses.hpp"

using amphibus::flat;
using proof::Reading;
using proof::ReadingT;

namespace {

constexpr std::size_t values_count = 112;
constexpr amphibus::topic<flat<Reading>> flat_readings{"proof.flat", amphibus::with_codec};
constexpr amphibus::topic<ReadingT> native_readings{"proof.native", amphibus::with_codec};

const std::vector<std::string> tags{"north", "winter", "calibrated"};

flat<Reading> make(std::uint64_t id, const flat<Reading>*) {
  return flat<Reading>::build([id](flatbuffers::FlatBufferBuilder& b) {
    const auto station = b.CreateString("station 17, upper deck");
    const auto all_tags = b.CreateVectorOfStrings(tags);
    double* values = nullptr;
    const auto all = b.CreateUninitializedVector(values_count, &values);
    for (std::size_t i = 0; i != values_count; ++i) values[i] = static_cast<double>(id);
    return proof::CreateReading(b, id, station, all_tags, all);
  });
}

ReadingT make(std::uint64_t id, const ReadingT*) {
  ReadingT out;
  out.id = id;
  out.station = "station 17, upper deck";
  out.tags = tags;
  out.values.assign(values_count, static_cast<double>(id));
  return out;
}

double sum_of(const flat<Reading>& r) {
  double out = static_cast<double>(r->station()->size() + r->tags()->Get(2)->size());
  for (const double each : *r->values()) out += each;
  return out;
}

double sum_of(const ReadingT& r) {
  double out = static_cast<double>(r.station.size() + r.tags[2].size());
  for (const double each : r.values) out += each;
  return out;
}

/// Messages per second.
template <class T>
double rate_of(const amphibus::topic<T>& topic, std::uint64_t count) {
  using clock = std::chrono::steady_clock;
  proof::two_buses both(proof::over::tcp);
  std::binary_semaphore done{0};
  std::uint64_t seen = 0;
  double sum = 0;
  clock::time_point first;
  auto sub = both.far.subscribe(topic, [&](const T& r) {
    if (seen == 0) first = clock::now();
    sum += sum_of(r);
    if (++seen == count) done.release();
  });
  auto out = both.near.publisher(topic);
  both.make_ready();
  for (std::uint64_t i = 0; i != count; ++i) out.publish(make(i, static_cast<const T*>(nullptr)));
  done.acquire();
  const double took = std::chrono::duration<double>(clock::now() - first).count();
  const double expected = static_cast<double>(count) * 32 + static_cast<double>(values_count) *
                                                                static_cast<double>(count) *
                                                                static_cast<double>(count - 1) / 2;
  return sum == expected ? static_cast<double>(count - 1) / took : 0;
}

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int pairs = argc > 1 ? std::atoi(argv[1]) : 7;
  const auto count = static_cast<std::uint64_t>(argc > 2 ? std::atoll(argv[2]) : 200'000);
  std::vector<double> flats;
  std::vector<double> natives;
  std::vector<double> ratios;
  for (int i = 0; i != pairs; ++i) {
    const bool flat_first = i % 2 == 0;
    double f = flat_first ? rate_of(flat_readings, count) : 0;
    const double n = rate_of(native_readings, count);
    if (!flat_first) f = rate_of(flat_readings, count);
    if (f == 0 || n == 0) return std::printf("a sum is wrong\n"), 1;
    flats.push_back(f);
    natives.push_back(n);
    ratios.push_back(f / n);
  }
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("tcp, %zu bytes: flat %.0f/s, OrderT-like struct %.0f/s, ratio %.2f (median of %d pairs, %.2f to %.2f)\n",
              make(1, static_cast<const flat<Reading>*>(nullptr)).bytes().size(), median(flats), median(natives),
              median(ratios), pairs, *least, *most);
  return 0;
}
