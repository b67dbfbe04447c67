#pragma once

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <amphibus/base/assert.hpp>
#include <amphibus/bus.hpp>

/// The other half of reader.py: the same digest, computed by handlers of a bus.
namespace foreign {

/// One message as text, the same in every language: integers in decimal, bool as 0 or 1, floating point as the bits of
/// the double, texts and lists with their size; an empty list is an empty text.
class canonical_text {
 public:
  template <class... Field>
  explicit canonical_text(const Field&... each) {
    (add(each), ...);
  }
  void add(std::string_view text) { out_ += std::to_string(text.size()) + ':' + std::string(text) + ';'; }
  void add(std::integral auto number) { out_ += std::to_string(number) + ';'; }
  void add(double number) {
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "%016llx;", std::bit_cast<unsigned long long>(number));
    out_ += text.data();
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void add(Enum value) { add(static_cast<std::int64_t>(value)); }
  template <class Element>
  void add(const std::vector<Element>& list) {
    if (list.empty()) return add(std::string_view());
    out_ += '[' + std::to_string(list.size()) + ';';
    for (const Element& each : list) add(each);
    out_ += "];";
  }
  [[nodiscard]] std::string line() const { return out_ + '\n'; }

 private:
  std::string out_;
};

/// SHA-256 of everything that was added.
class sha256 {
 public:
  sha256() : state_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view text) { EVP_DigestUpdate(state_.get(), text.data(), text.size()); }
  /// In hex. Nothing may follow.
  std::string finish() {
    unsigned char bytes[32];
    EVP_DigestFinal_ex(state_.get(), bytes, nullptr);
    std::string out;
    for (const unsigned char each : bytes) {
      char two[3];
      std::snprintf(two, sizeof two, "%02x", each);
      out += two;
    }
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state_;
};

/// Follows topics and prints a line for each. Thread: confined to the handlers' executor until the bus is closed.
class digests {
 public:
  /// `text_of(message)` gives its canonical_text.
  template <class T, class TextOf>
  void follow(amphibus::bus& bus, const amphibus::topic<T>& topic, TextOf text_of) {
    auto& into = topics_[std::string(topic.name())];
    subscriptions_.push_back(bus.subscribe(topic, [&into, text_of](const T& message, const amphibus::context& with) {
      stream& of = into[with.id().source.origin];
      of.lost += with.lost_before();
      of.digest.add(text_of(message).line());
      ++of.messages;
    }));
  }
  /// After the bus is closed. A topic's digest covers those of its producers, sorted.
  void print() {
    for (auto& [name, streams] : topics_) {
      std::vector<std::string> parts;
      std::uint64_t messages = 0;
      std::uint64_t lost = 0;
      for (auto& [producer, of] : streams) {
        parts.push_back(of.digest.finish());
        messages += of.messages;
        lost += of.lost;
      }
      if (parts.empty()) continue;
      std::sort(parts.begin(), parts.end());
      sha256 all;
      for (const std::string& each : parts) all.add(each);
      std::printf("TOPIC %s messages=%llu gaps=%llu digest=%s\n", name.c_str(),
                  static_cast<unsigned long long>(messages), static_cast<unsigned long long>(lost),
                  all.finish().c_str());
    }
  }

 private:
  struct stream {
    sha256 digest;
    std::uint64_t messages = 0;
    std::uint64_t lost = 0;
  };
  std::map<std::string, std::map<std::uint64_t, stream>> topics_;
  std::vector<amphibus::subscription> subscriptions_;
};

/// Runs as process NAME of a file: `PROGRAM --config FILE --process NAME [--set KEY=VALUE]…`. `follow` subscribes. Ends
/// with SIGTERM, when everybody else has ended. Returns: the exit code.
int run_digests(int argc, char** argv, const std::function<void(amphibus::bus&, digests&)>& follow);

}  // namespace foreign
