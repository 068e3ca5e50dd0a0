// The frame of a widget: its controls, its picture, and a sentence that says what is
// seen. Each widget hands over what it computes from its settings and how it is drawn.
(function () {
  "use strict";
  window.widgets = {};

  function create(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  // A slider or a choice; `show` writes its value for the reader.
  function input(id, { options, min, max, step }) {
    if (!options) return create("input", { type: "range", id, min, max, step });
    const select = create("select", { id });
    for (const [value, text] of options) select.add(new Option(text, value));
    return select;
  }

  // Show a widget.
  //   controls(data)              sliders {key, label, min, max, step, show}, choices
  //                               {key, label, options} and buttons {label, press(settings)}
  //   settle(settings, key)       where not all settings go together: mend the others
  //   compute(settings, data)     the numbers, which the tests compare with NumPy
  //   say(values, settings, data) the sentence
  //   draw(width, values, settings, data, set)  elements of the picture
  window.showWidget = function (name, widget) {
    const section = document.getElementById(`widget-${name}`);
    const data = JSON.parse(section.querySelector("script[type='application/json']").textContent);
    const settings = { ...data.golden[0].settings };
    const inputs = {};
    const picture = create("div", { className: "widget-picture" });
    const said = create("p", { className: "widget-said" });
    said.setAttribute("aria-live", "polite");
    let values;
    let width = 0;

    function draw() {
      picture.replaceChildren(...widget.draw(width, values, settings, data, set));
    }

    function update() {
      values = widget.compute(settings, data);
      said.textContent = widget.say(values, settings, data);
      for (const [key, { control, field, shown }] of Object.entries(inputs)) {
        field.value = settings[key];
        if (shown) shown.textContent = control.show(settings[key]);
        if (shown) field.setAttribute("aria-valuetext", control.show(settings[key]));
      }
      if (width) draw();
    }

    function set(change) {
      Object.assign(settings, change);
      if (widget.settle) for (const key of Object.keys(change)) widget.settle(settings, key);
      update();
    }

    const bar = create("div", { className: "widget-controls" });
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", `Controls of ${section.getAttribute("aria-label")}`);
    for (const control of widget.controls(data)) {
      if (control.press) {
        const button = create("button", { type: "button", textContent: control.label });
        button.addEventListener("click", () => set(control.press(settings)));
        bar.append(button);
        continue;
      }
      const field = input(`widget-${name}-${control.key}`, control);
      const label = create("label", { htmlFor: field.id, textContent: control.label });
      const shown = control.options ? null : create("span", { className: "widget-setting" });
      field.addEventListener("input", () => set({ [control.key]: Number(field.value) }));
      inputs[control.key] = { control, field, shown };
      bar.append(create("div", { className: "widget-control" }, label, shown || "", field));
    }

    section.querySelector("details").open = false;
    section.querySelector(".widget-name").after(bar, picture, said);
    window.widgets[name] = { settings: () => settings, values: () => values };
    update();
    new ResizeObserver(() => {
      if (picture.clientWidth === width) return;
      width = picture.clientWidth;
      draw();
    }).observe(picture);
  };
})();
