import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { sessionQuery, signIn } from '../api/queries.js';
import { ApiError } from '../api/request.js';
import styles from './sign-in-page.module.css';

export function SignInPage() {
  const { next } = useSearch({ from: '/sign-in' });
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const signingIn = useMutation({
    mutationFn: () => signIn(email, password),
    onSuccess: async (session) => {
      queryClient.setQueryData(sessionQuery.queryKey, session);
      await navigate({ href: localPath(next), replace: true });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signingIn.mutate();
  };
  return (
    <main className={styles['page']}>
      <form className={styles['form']} onSubmit={submit}>
        <div className={styles['brand']}>
          <img src="/favicon.svg" alt="" width={24} height={24} />
          <h1>Sign in to Hearth</h1>
        </div>
        <TextInput
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          withAsterisk={false}
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {signingIn.error && (
          <p className={styles['error']} role="alert">
            {refusal(signingIn.error)}
          </p>
        )}
        <Button type="submit" loading={signingIn.isPending} fullWidth>
          Sign in
        </Button>
        <p className={styles['hint']}>
          The first user is made at the first start. Its password is <code>HEARTH_ADMIN_PASSWORD</code>, or was printed by the
          server then.
        </p>
      </form>
    </main>
  );
}

function refusal(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  if (error.status === 401)
    return 'No user has this address and password. Check both; the password is that of Hearth, not of your mail.';
  if (error.status === 429) return 'Too many tries from this address. Wait a minute, then try again.';
  return error.message;
}

/** Only a path of this dashboard: a link must not lead elsewhere after signing in. */
function localPath(next: string): string {
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : '/';
}
