// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/config.hpp>

#include "report/line_chart.hpp"
#include "report/page.hpp"
#include "report/table.hpp"
#include "robustness_page.hpp"

namespace robust_mlp {

namespace {

std::string loss_text(recipe const& how) {
  return fmt::format("temperature {:g}{}", how.temperature,
                     how.margin > 0 ? fmt::format(", margin {:g}", how.margin) : "");
}

std::string recipe_text(recipe const& how) {
  std::string text = how.optimizer == "muon" ? "Muon" : "AdamW";
  if (how.sigma_max > 0)
    text += fmt::format(", {} {:g}", how.optimizer == "muon" ? "soft cap" : "hard cap", how.sigma_max);
  if (how.weight_decay > 0) text += fmt::format(", weight decay {:g}", how.weight_decay);
  return text + fmt::format(", rate {:g}, {}", how.learning_rate, loss_text(how));
}

/// The two curves of a classifier have one colour: what is attacked above, what is certified below.
std::string chart_of(std::vector<assessed_recipe> const& all) {
  auto const& budgets = all.front().result.budgets;
  report::line_chart chart{.title = "Accuracy under changes of an image",
                           .description =
                               "Solid: proven of every change within the budget. Dots: the attack found none "
                               "that changes the class. The truth lies between.",
                           .axis = "l2 length of the change, pixels in [0, 1]",
                           .low = 0,
                           .high = budgets.back(),
                           .logarithmic = false};
  report::line_panel panel{
      .axis = "share of the test images: solid proven, dots attacked", .low = 0, .high = 1, .height = 320};
  for (auto const& each : all) {
    chart.labels.push_back(each.result.name);
    panel.curves.emplace_back();
    panel.points.emplace_back();
    for (std::size_t k = 0; k < budgets.size(); ++k) {
      panel.curves.back().push_back({budgets[k], each.result.certified[k]});
      panel.points.back().push_back({budgets[k], each.result.attacked[k]});
    }
    std::vector<report::chart_point> const attacked = panel.points.back();
    panel.references.push_back(attacked);
  }
  chart.panels = {panel};
  return to_svg(chart, "robustness");
}

}  // namespace

std::string page_of(std::vector<assessed_recipe> const& all, index_t train_images, index_t test_images) {
  std::vector<report::cell> head{
      {"classifier"}, {"clean", true}, {"L \u2264", true}, {"method"}, {"product \u2264", true}};
  std::string bounds;
  std::string shares;
  std::vector<report::cell> budgets{{"classifier"}, {""}};
  for (double const budget : all.front().result.budgets) budgets.push_back({fmt::format("{:g}", budget), true});
  for (auto const& each : all) {
    auto const& of = each.result;
    bounds += report::row_of({{of.name},
                              {fmt::format("{:.4f}", of.clean), true},
                              {fmt::format("{:.6g}", of.bound), true},
                              {of.method},
                              {fmt::format("{:.6g}", of.product_bound), true}});
    auto const row = [&](char const* what, std::vector<double> const& values) {
      std::vector<report::cell> cells{{of.name}, {what}};
      for (double const value : values) cells.push_back({fmt::format("{:.4f}", value), true});
      shares += report::row_of(cells);
    };
    row("certified, by pairs", of.certified);
    row("certified, margin / (\u221a2 product)", of.certified_by_product);
    row("attacked", of.attacked);
  }
  std::string body =
      "<h1>Provably robust classifiers of handwritten digits</h1>\n" +
      report::paragraph(fmt::format("784-{}-{}-10, {} training and {} test images of MNIST", all.front().how.width,
                                    all.front().how.width, train_images, test_images),
                        "soft") +
      "<h2>Accuracy under changes</h2>\n" + chart_of(all) + report::table_of(budgets, shares) +
      report::paragraph(
          "Certified: the class provably does not change within the budget, by the margin over a constant of each "
          "pair of classes that the tightest of several methods proves. Attacked: projected gradient descent "
          "found no change within the budget that changes the class.",
          "soft") +
      "<h2>Lipschitz bounds in l2</h2>\n" + report::table_of(head, bounds) + "<h2>Recipes</h2>\n";
  for (auto const& each : all) {
    std::string text = each.how.name + ": " + recipe_text(each.how);
    if (each.how.sigma_max > 0) {
      text += fmt::format("; {} checks after the steps that a weight is inside its cap, {} violations", each.checks,
                          each.violations);
    }
    body += report::paragraph(text + ".");
  }
  body +=
      report::paragraph("Real-arithmetic semantics of the stored parameters; float execution not included.", "soft");
  return report::page("Provably robust classifiers", body);
}

nlohmann::ordered_json json_of(std::vector<assessed_recipe> const& all, index_t train_images, index_t test_images) {
  nlohmann::ordered_json result;
  result["schema"] = "sigmax-robust-mlp-1";
  result["train_images"] = train_images;
  result["test_images"] = test_images;
  result["norm"] = "l2, pixels in [0, 1]";
  for (auto const& each : all) {
    auto const& of = each.result;
    nlohmann::ordered_json row;
    row["name"] = of.name;
    row["recipe"] = recipe_text(each.how);
    row["clean"] = of.clean;
    row["budgets"] = of.budgets;
    row["certified"] = of.certified;
    row["certified_by_product"] = of.certified_by_product;
    row["attacked"] = of.attacked;
    row["contradictions"] = of.contradictions;
    row["lipschitz_upper"] = of.bound;
    row["product_upper"] = of.product_bound;
    row["method"] = of.method;
    row["checks"] = each.checks;
    row["violations"] = each.violations;
    result["classifiers"].push_back(std::move(row));
  }
  result["version"] = sigmax::version;
  return result;
}

}  // namespace robust_mlp
