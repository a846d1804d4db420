//! Images that cannot be had, or cannot run.

use super::{Broken, CHART, PLAIN, broken, cases, chart, init_container};

cases! {
    image_not_found: broken(PLAIN, &["image-not-found"]).args(&["--image", "registry.test/nothing:1"]);
    image_tag_not_found: broken(PLAIN, &["image-not-found"]).args(&["--image", "registry.test/testapp:none"]);
    image_behind_a_login: broken(PLAIN, &["image-not-allowed"]).args(&["--image", "private.test/testapp:2"]);
    image_name_invalid: broken(PLAIN, &["image-invalid"]).args(CHART).before(|project| {
        chart(project, &[("image: {{ $service.image | quote }}", "image: Acme/App:1.2")]);
    }).says(&["acme/app:1.2"]);
    image_never_pulled: broken(PLAIN, &["image-not-found"]).args(&["--image", "registry.test/nothing:2", "--chart", "chart"]).before(|project| {
        chart(project, &[("imagePullPolicy: {{ $service.imagePullPolicy }}", "imagePullPolicy: Never")]);
    });
    image_runs_as_root: broken(PLAIN, &["runs-as-root"]).args(&["--image", "registry.test/testapp-root:1", "--chart", "chart"]).before(|project| {
        chart(project, &[("runAsUser: {{ .uid }}\n", ""), ("runAsGroup: {{ .gid }}\n", "")]);
    });
    new_version_has_no_image: broken(PLAIN, &["image-not-found"]).then(|project| {
        let up = ["up", "--pr", "1", "--no-rollback", "--image", "registry.test/testapp:gone", "--timeout", "5s"];
        project.command(&up).output().expect("the binary starts");
    }).says(&["registry.test/testapp:gone"]);
    // The head of a program for arm64, and nothing after it: the kernel looks no further.
    wrong_architecture: broken("services:\n  app:\n    port: 8080\n    image: busybox:1.35\n    command: [/shared/server]\n    writableDirs: [/shared]\n", &["wrong-architecture"]).args(CHART).before(|project| {
        let head = r"printf '\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\267\0\1\0\0\0' > /shared/server; dd if=/dev/zero bs=1 count=40 >> /shared/server; chmod 755 /shared/server";
        init_container(project, head, "          volumeMounts:\n            - {name: writable-0, mountPath: /shared}\n");
    });
}
