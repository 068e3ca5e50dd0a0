// Walks through a derivation, or through the lines of a function. Without this script
// all steps stand in the page as a list; with it they appear one by one, and the URL says
// which is the current.
(function () {
  "use strict";
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  class Stepper {
    constructor(section) {
      this.section = section;
      this.steps = [...section.querySelectorAll(".step")];
      this.current = section.dataset.start === "end" ? this.steps.length : 1;
      this.buildControls();
      section.tabIndex = 0;
      section.classList.add("stepping");
      section.addEventListener("keydown", (event) => this.onKey(event));
      this.render();
    }

    buildControls() {
      const bar = document.createElement("div");
      bar.className = "stepper-controls";
      bar.setAttribute("role", "group");
      bar.setAttribute("aria-label", `Steps of ${this.section.dataset.title}`);
      this.previous = this.button("← Previous", () => this.go(this.current - 1));
      this.next = this.button("Next →", () => this.go(this.current + 1));
      this.all = this.button("Show all", () => this.go(this.steps.length));
      this.jump = document.createElement("select");
      this.jump.setAttribute("aria-label", "Go to step");
      this.steps.forEach((step, place) => {
        const text = `${place + 1} of ${this.steps.length}: ${step.dataset.label}`;
        this.jump.add(new Option(text, place + 1));
      });
      this.jump.addEventListener("change", () => this.go(Number(this.jump.value)));
      this.said = document.createElement("span");
      this.said.className = "visually-hidden";
      this.said.setAttribute("aria-live", "polite");
      bar.append(this.previous, this.jump, this.next, this.all, this.said);
      this.section.append(bar);
      this.controls = bar;
    }

    button(text, action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      if (action) button.addEventListener("click", action);
      return button;
    }

    onKey(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const control = event.target.closest("button, select, a");
      const target = {
        ArrowRight: this.current + 1,
        ArrowLeft: this.current - 1,
        " ": this.current + 1,
        Home: 1,
        End: this.steps.length,
      }[event.key];
      if (target === undefined) return;
      // A select has its own use for these keys, and a button or link for space.
      if (control && (control.tagName === "SELECT" || event.key === " ")) return;
      event.preventDefault();
      this.go(target);
    }

    // Show a step, and say so in the URL.
    go(number) {
      if (number < 1 || number > this.steps.length) return;
      this.show(number);
      history.replaceState(null, "", `#${this.steps[number - 1].id}`);
      const behavior = still.matches ? "auto" : "smooth";
      this.steps[number - 1].scrollIntoView({ block: "nearest", behavior });
      this.said.textContent = this.jump.selectedOptions[0].textContent;
    }

    show(number) {
      this.current = number;
      this.render();
    }

    render() {
      this.steps.forEach((step, place) => {
        step.hidden = place >= this.current;
        if (place === this.current - 1) step.setAttribute("aria-current", "step");
        else step.removeAttribute("aria-current");
      });
      this.jump.value = this.current;
      this.previous.disabled = this.current === 1;
      this.next.disabled = this.all.disabled = this.current === this.steps.length;
    }
  }

  const steppers = [...document.querySelectorAll(".walk")].map(
    (section) => new Stepper(section)
  );

  function followHash() {
    const step = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (const stepper of steppers) {
      const place = stepper.steps.indexOf(step);
      if (place < 0) continue;
      stepper.show(place + 1);
      const folded = step.closest("details");
      if (folded) folded.open = true;
      step.scrollIntoView({ block: "center" });
    }
  }

  window.steppers = steppers;
  window.addEventListener("hashchange", followHash);
  followHash();
})();
