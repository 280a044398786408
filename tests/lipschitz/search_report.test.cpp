// SPDX-License-Identifier: MIT
// What searches for multipliers say of themselves: it is printed, and no certificate is made of it.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/layers.hpp>
#include <sigmax/lipschitz/search_report.hpp>

using namespace sigmax;
using namespace sigmax::lipschitz;

namespace {

network perceptron(std::vector<index_t> const& widths, std::uint64_t seed, any_rule const& between = relu()) {
  network net({widths[0]});
  for (std::size_t k = 1; k < widths.size(); ++k) {
    if (k > 1) net.add(between, {net.output()});
    matrix<double> w(widths[k], widths[k - 1]);
    fill_normal(w.view(), seed + k);
    net.add(rules::linear(weight::owning(std::move(w))), {net.output()});
  }
  return net;
}

struct heard_certificate {
  certificate made;
  std::vector<search_report> reports;
};

heard_certificate certify_and_hear(network const& net, method_options options = {}) {
  std::vector<search_report> reports;
  options.searches = {&reports, [](void* self, search_report const& report) {
                        static_cast<std::vector<search_report>*>(self)->push_back(report);
                      }};
  auto made = certify(net, {.attack = false, .methods = options});
  return {std::move(made), std::move(reports)};
}

double tried_by(certificate const& c, method which) {
  for (auto const& tried : c.tried()) {
    if (tried.name == name_of(which)) return tried.upper.to_double_up();
  }
  return infinity;
}

}  // namespace

TEST_CASE(
    "searches converge: three restarts within 1e-4, the proof within 1e-5 of the optimum, no other method below") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    any_rule const between = seed % 3 == 0 ? any_rule(gelu()) : seed % 3 == 1 ? any_rule(relu()) : any_rule(tanh());
    auto const widths = seed % 2 == 0 ? std::vector<index_t>{5, 12, 9, 3} : std::vector<index_t>{4, 7, 6, 8, 7, 2};
    auto const [made, reports] = certify_and_hear(perceptron(widths, 50 * seed, between));
    REQUIRE(reports.size() == 1);
    auto const& report = reports[0];
    CHECK(report.multipliers == (seed % 2 == 0 ? 21 : 28));
    CHECK_FALSE(report.how.empty());
    CHECK(report.reason.empty());
    CHECK(report.converged);
    REQUIRE(report.ends.size() == 4);
    auto const [least, most] = std::minmax_element(report.ends.begin() + 1, report.ends.end());
    CHECK(*most <= *least * (1 + 1e-4));
    CHECK(report.optimum <= *least * (1 + 1e-6));
    CHECK(report.proved >= report.optimum * (1 - 1e-9));
    CHECK(report.proved <= report.optimum * (1 + 1e-5));
    double const lipsdp = tried_by(made, method::lipsdp);
    CHECK(lipsdp == doctest::Approx(report.proved).epsilon(1e-12));
    CHECK(made.upper() <= lipsdp);
    for (method const other : {method::dynamic_program, method::eclipse, method::absolute, method::product}) {
      CHECK(lipsdp <= tried_by(made, other) * (1 + 1e-6));
      CHECK(made.upper() <= tried_by(made, other));
    }
  }
}

TEST_CASE("a certificate does not depend on whether somebody hears of its searches") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    auto const net = perceptron({6, 10, 8, 3}, 7 * seed);
    auto const [heard, reports] = certify_and_hear(net);
    auto const unheard = certify(net, {.attack = false});
    CHECK(heard.upper_extended() == unheard.upper_extended());
    CHECK(heard.method() == unheard.method());
  }
}

TEST_CASE("a search without the work it needs says that it did not converge, or why it was not done") {
  auto const net = perceptron({6, 20, 20, 4}, 3);
  bool unfinished = false;
  bool undone = false;
  for (double const work : {1e3, 1e5, 1e6, 3e6, 1e7, 1e8, 1e9}) {
    auto const [made, reports] = certify_and_hear(net, {.search_work = work});
    REQUIRE(reports.size() == 1);
    auto const text = to_string(reports[0]);
    CAPTURE(work);
    CAPTURE(text);
    CHECK(text.starts_with("search: the segment that ends at "));
    CHECK(std::count(text.begin(), text.end(), '\n') == (reports[0].how.empty() ? 1 : 2));
    if (reports[0].how.empty()) {
      undone = true;
      CHECK(text.find("too large") != std::string::npos);
    } else {
      unfinished = unfinished || !reports[0].converged;
      CHECK((text.find("not converged") != std::string::npos) == !reports[0].converged);
      CHECK(text.find("estimated optimum") != std::string::npos);
      CHECK(text.find("proven") != std::string::npos);
    }
    if (work == 1e9) CHECK(reports[0].converged);
  }
  CHECK(undone);
  CHECK(unfinished);
  // Nothing to search for, nothing said: a product alone, norms without multipliers.
  CHECK(certify_and_hear(net, {.which = method::product}).reports.empty());
  CHECK(certify_and_hear(net, {.which = method::absolute}).reports.empty());
}

TEST_CASE("numbers of a report: estimates to the nearest, proofs upwards") {
  search_report report{.end = "y", .multipliers = 3, .how = "descents"};
  report.ends = {1.0, 2.0 / 3};
  report.optimum = 2.0 / 3;
  report.proved = 2.0 / 3;
  CHECK(to_string(report) ==
        "search: the segment that ends at y, 3 multipliers: descents, ended at 1.000000000, restarts at 0.6666666667: "
        "not converged\n        estimated optimum 0.6666666667, proven 0.6666666667, 0.0 above it\n");
  report.proved = infinity;
  CHECK(to_string(report).ends_with("proven nothing\n"));
}
