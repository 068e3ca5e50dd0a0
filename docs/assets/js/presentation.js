// Presentation mode: the derivations of a page on a projector, one step at a time.
// Key d or a button starts it, Esc leaves it, `?present` in the URL keeps it on the way
// to the next page.
(function () {
  "use strict";
  // px. On a projector, 1280 wide, the last row can read 28; a phone is close to the eye.
  const smallest = () => Math.round(Math.min(28, Math.max(16, innerWidth / 45)));
  const LARGEST = 60;

  class Presentation {
    constructor(steppers) {
      this.slides = steppers.flatMap((stepper) => [
        { stepper, step: 0 },
        ...stepper.steps.map((_, place) => ({ stepper, step: place + 1 })),
      ]);
      this.buildDialog();
    }

    buildDialog() {
      this.dialog = document.createElement("dialog");
      this.dialog.className = "presentation md-typeset";
      this.dialog.setAttribute("aria-label", "Presentation");
      this.stage = document.createElement("div");
      this.stage.className = "stage";
      this.stage.setAttribute("aria-live", "polite");
      const bar = document.createElement("div");
      bar.className = "presentation-bar";
      this.where = document.createElement("span");
      this.back = this.button("←", "Previous step", () => this.go(this.place - 1));
      this.on = this.button("→", "Next step", () => this.go(this.place + 1));
      bar.append(this.where, this.back, this.on, this.button("✕", "Leave (Esc)", () => this.leave()));
      this.dialog.append(this.stage, bar);
      // Before the theme, which has its own use for some letters, and wherever the focus is.
      window.addEventListener("keydown", (event) => this.dialog.open && this.onKey(event), true);
      this.dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        this.leave();
      });
      document.body.append(this.dialog);
      window.addEventListener("resize", () => this.dialog.open && this.fit());
    }

    button(text, label, action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.title = label;
      if (text.length === 1) button.setAttribute("aria-label", label);
      button.addEventListener("click", action);
      return button;
    }

    // Start at the slide of the step that the reader was at.
    enter(stepper, step) {
      this.cameFrom = document.activeElement;
      const at = this.slides.findIndex((s) => s.stepper === stepper && s.step === step);
      this.dialog.showModal();
      document.documentElement.classList.add("presenting");
      this.go(Math.max(at, 0));
      this.on.focus();
    }

    leave() {
      this.dialog.close();
      document.documentElement.classList.remove("presenting");
      const { stepper, step } = this.slides[this.place];
      stepper.show(Math.max(step, 1));
      this.note(false);
      stepper.steps[Math.max(step, 1) - 1].scrollIntoView({ block: "center" });
      if (this.cameFrom) this.cameFrom.focus({ preventScroll: true });
    }

    onKey(event) {
      event.stopPropagation();
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const onButton = event.target.closest("button");
      if (onButton && (event.key === " " || event.key === "Enter")) return;
      const action = {
        ArrowRight: () => this.go(this.place + 1),
        ArrowDown: () => this.go(this.place + 1),
        PageDown: () => this.go(this.place + 1),
        " ": () => this.go(this.place + 1),
        Enter: () => this.go(this.place + 1),
        ArrowLeft: () => this.go(this.place - 1),
        ArrowUp: () => this.go(this.place - 1),
        PageUp: () => this.go(this.place - 1),
        Home: () => this.go(0),
        End: () => this.go(this.slides.length - 1),
        d: () => this.leave(),
      }[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    }

    go(place) {
      if (place === this.slides.length) this.nextPage();
      if (place < 0 || place >= this.slides.length) return;
      this.place = place;
      this.render();
      this.note(true);
    }

    nextPage() {
      const link = document.querySelector("a.md-footer__link--next");
      const folder = (url) => url.pathname.replace(/[^/]*$/, "");
      const url = link && new URL(link.href);
      if (url && folder(url) === folder(location)) location.assign(`${url.href}?present`);
    }

    // Keep step and mode in the URL.
    note(presenting) {
      const { stepper, step } = this.slides[this.place];
      const anchor = step ? stepper.steps[step - 1].id : stepper.section.id;
      const query = presenting ? "?present" : "";
      history.replaceState(null, "", `${location.pathname}${query}#${anchor}`);
    }

    render() {
      const { stepper, step } = this.slides[this.place];
      const parts = step ? this.stepParts(stepper, step) : this.coverParts(stepper);
      const copies = parts.map((part) => this.copy(part));
      if (step) for (const node of copies[1].querySelectorAll("[data-changed]")) {
        node.removeAttribute("data-changed"); // what the step before has changed
      }
      this.stage.replaceChildren(...copies);
      this.stage.classList.toggle("cover", step === 0);
      const total = stepper.steps.length;
      this.where.textContent = `${stepper.section.dataset.entry} ${stepper.section.dataset.title} · ${
        step ? `step ${step} of ${total}` : `${total} steps`
      }`;
      this.back.disabled = this.place === 0;
      this.fit();
    }

    copy(part) {
      const copy = part.cloneNode(true);
      for (const node of [copy, ...copy.querySelectorAll("[id], [tabindex]")]) {
        node.removeAttribute("id");
        node.removeAttribute("tabindex");
      }
      return copy;
    }

    coverParts(stepper) {
      const title = document.createElement("p");
      title.className = "cover-title";
      title.textContent = stepper.section.dataset.title;
      const number = Number(stepper.section.dataset.entry.slice(1));
      const tagged = [...document.querySelectorAll(".equation[id]")];
      const own = tagged.filter((e) => new RegExp(`^eq-${number}[a-z]$`).test(e.id));
      return [title, ...own];
    }

    // The line before, why it may be changed, and what it becomes.
    stepParts(stepper, step) {
      const item = stepper.steps[step - 1];
      const chain = stepper.steps.slice(0, step).reverse();
      const title = chain.map((s) => s.querySelector(".chain-title")).find(Boolean);
      const before =
        item.querySelector(".line-before") ||
        stepper.steps[step - 2].querySelector(".line:not(.line-before)");
      const last = item.querySelector(".line:not(.line-before)");
      return [title, before, item.querySelector(".rule"), last, item.querySelector(".check")];
    }

    // The largest size at which the slide fits without scrolling.
    fit() {
      const fits = () =>
        this.stage.scrollWidth <= this.stage.clientWidth &&
        this.stage.scrollHeight <= this.stage.clientHeight &&
        [...this.stage.querySelectorAll(".equation")].every(
          (equation) => equation.scrollWidth <= equation.clientWidth
        );
      const set = (size) => this.dialog.style.setProperty("--size", `${size}px`);
      let fitting = smallest();
      for (let step = 32; step >= 1; step /= 2) {
        if (fitting + step > LARGEST) continue;
        set(fitting + step);
        if (fits()) fitting += step;
      }
      set(fitting);
    }
  }

  const steppers = window.steppers.filter((s) => s.section.matches(".derivation"));
  if (!steppers.length) return;
  const presentation = new Presentation(steppers);
  for (const stepper of steppers) {
    const start = presentation.button("Present", "Presentation mode (key d)", () =>
      presentation.enter(stepper, stepper.current)
    );
    start.className = "present";
    stepper.controls.append(start);
  }

  // The derivation that the reader looks at: the one in the URL, or the first in view.
  function nearest() {
    const named = steppers.find((s) => location.hash.startsWith(`#${s.section.dataset.entry}-`));
    const inView = steppers.find((s) => s.section.getBoundingClientRect().bottom > 0);
    return named || inView || steppers[0];
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "d" || typing || presentation.dialog.open) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    start();
  });

  function start() {
    const stepper = nearest();
    presentation.enter(stepper, location.hash.includes("-step-") ? stepper.current : 0);
  }

  // Not earlier: loading ends with a jump to the step of the URL, which takes the focus.
  if (new URLSearchParams(location.search).has("present")) {
    window.addEventListener("load", start);
  }
})();
