// SPDX-License-Identifier: MIT
// 100,000 small random networks: soundness, and a record of tightness (group 28).
//
// Three quarters are of all operators and are held against an attack, whose witness is proved in interval arithmetic, and
// against dense Jacobians at points of the domain. A quarter are of linear maps, sums and piecewise linear activations;
// they are held against all patterns of slopes, multiplied out. How often upper / lower falls where is compared with
// random_graphs.histogram.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <Eigen/Dense>
#include <doctest/doctest.h>

#include <sigmax/lipschitz/attack/inside.hpp>

#include "lipschitz/attention_oracle.hpp"
#include "lipschitz/pattern_graphs.hpp"
#include "lipschitz/random_graphs.hpp"

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

constexpr std::uint64_t graphs = 75000;
constexpr std::uint64_t patterned = 25000;

/// Four points of the domain; the Jacobian there has no larger norm than the bound, in directions that stay inside.
std::string steeper_jacobian(certificate const& c, network const& net, input_domain const& domain, std::uint64_t seed) {
  auto const in = row_norm::of(c.norm_in(), net.input_shape());
  auto const out = row_norm::of(c.norm_out(), net.output_shape());
  auto const count = static_cast<std::size_t>(element_count(net.input_shape()));
  attack::inside const inside(domain, count, in);
  random_sequence const numbers(seed + 77);
  std::vector<double> x(count);
  for (std::uint64_t point = 0; point < 4; ++point) {
    for (std::size_t i = 0; i < count; ++i) {
      double const reach = std::min(3.0, inside.half_width(i));
      x[i] = inside.centre()[i] + reach * numbers.normal(point * count + i);
    }
    inside.project(x);
    Eigen::MatrixXd j = test::dense_jacobian(net, x);
    for (std::size_t i = 0; i < count; ++i) {
      if (!(inside.half_width(i) > 0)) j.col(static_cast<Eigen::Index>(i)).setZero();
    }
    if (!j.allFinite()) continue;
    // Of small numbers, sums of larger ones leave roundings.
    double const slope = test::jacobian_norm(j, c.norm_in(), in, out);
    if (slope > c.upper() * (1 + 1e-9) + 1e-12) {
      return "a Jacobian has the norm " + std::to_string(slope) + ", the bound is " + std::to_string(c.upper());
    }
  }
  return {};
}

void run_patterned(std::uint64_t seed, random_graphs::outcome& result) {
  random_graphs::pattern_graph const graph(seed);
  auto const& net = graph.net();
  auto const n = random_graphs::norm_of(seed);
  ++result.networks;
  double truth = graph.largest_norm(n == norm::any(norm::linf));
  if (n == norm::any(norm::rms)) {
    truth *= std::sqrt(static_cast<double>(net.input_shape()[0]) / static_cast<double>(net.output_shape()[0]));
  }
  auto const c = certify(net, {.norm = n, .attack = false});
  if (!c.is_finite()) return;
  ++result.finite;
  for (auto const& tried : c.tried()) {
    if (tried.upper.to_double_up() >= truth * (1 - 1e-12)) continue;
    result.refute(seed, tried.name + " gives " + std::to_string(tried.upper.to_double_up()) + ", a pattern of slopes " +
                            std::to_string(truth));
  }
  if (!(truth > 1e-9)) return;
  ++result.compared;
  random_graphs::count(result.ratios, c.upper() / truth);
}

/// `one(seed, outcome)` for all seeds, on two threads. Counts do not depend on who counts.
template <class One>
random_graphs::outcome on_two_threads(std::uint64_t last, One const& one) {
  constexpr std::uint64_t block = 250;
  random_graphs::outcome result;
  std::atomic<std::uint64_t> next{0};
  std::mutex lock;
  auto const work = [&] {
    random_graphs::outcome own;
    for (std::uint64_t first = next.fetch_add(block); first < last; first = next.fetch_add(block)) {
      for (std::uint64_t seed = first; seed < std::min(last, first + block); ++seed) one(seed, own);
    }
    std::scoped_lock const guard(lock);
    result.include(own);
  };
  std::thread other(work);
  work();
  other.join();
  return result;
}

/// True if the texts differ in their numbers alone, and in none by more than 25 of the 100,000: the last bits of
/// exponentials are those of the mathematics library of the machine.
bool is_alike(std::string const& one, std::string const& other) {
  std::istringstream a(one);
  std::istringstream b(other);
  std::string x;
  std::string y;
  while (true) {
    bool const more = static_cast<bool>(a >> x);
    if (more != static_cast<bool>(b >> y)) return false;
    if (!more) return true;
    bool const counts = x.find_first_not_of("0123456789") == std::string::npos &&
                        y.find_first_not_of("0123456789") == std::string::npos;
    if (counts ? std::abs(std::stol(x) - std::stol(y)) > 25 : x != y) return false;
  }
}

}  // namespace

TEST_CASE(
    "group 28: 100,000 random networks against attacks, Jacobians and patterns: none unsound, as tight as recorded") {
  auto const all = on_two_threads(graphs, [](std::uint64_t seed, random_graphs::outcome& result) {
    random_graphs::run_one(seed, {.points = 12, .iterations = 10, .seed = 3, .work = 3e6}, result,
                           [&](certificate const& c, network const& net, input_domain const& domain) {
                             return steeper_jacobian(c, net, domain, seed);
                           });
  });
  auto const patterns = on_two_threads(patterned, run_patterned);
  MESSAGE(random_graphs::text(all));
  MESSAGE(random_graphs::text(patterns));
  CHECK(all.unsound == 0);
  CHECK(patterns.unsound == 0);
  CHECK(patterns.finite == patterned);

  std::string const now = "all operators, attacked: " + std::to_string(all.compared) + " compared\n" +
                          random_graphs::text(all.ratios) +
                          "piecewise linear, all patterns: " + std::to_string(patterns.compared) + " compared\n" +
                          random_graphs::text(patterns.ratios);
  auto const record = std::filesystem::path(__FILE__).parent_path() / "random_graphs.histogram";
  if (std::getenv("SIGMAX_RECORD_HISTOGRAM") != nullptr) {
    std::ofstream(record) << now;
    MESSAGE("recorded in ", record.string());
  }
  std::ifstream file(record);
  std::string const recorded(std::istreambuf_iterator<char>(file), {});
  INFO(
      "the histogram of upper / lower has changed; if that is meant, SIGMAX_RECORD_HISTOGRAM=1 lipschitz_check "
      "-tc='group 28*' records it in ",
      record.string());
  CHECK(is_alike(now, recorded));
}
